kubectl set env daemonset aws-node --namespace kube-system ENABLE_PREFIX_DELEGATION=true WARM_PREFIX_TARGET=1
lab wait idle
kubectl scale deployment web --replicas=12
lab wait idle
