kubectl set env daemonset aws-node --namespace kube-system WARM_IP_TARGET=1
lab wait 120s
