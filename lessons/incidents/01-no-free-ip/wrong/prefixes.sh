kubectl set env daemonset aws-node --namespace kube-system ENABLE_PREFIX_DELEGATION=true
lab wait 60s
