kubectl set env daemonset aws-node --namespace kube-system MINIMUM_IP_TARGET=6
lab wait idle
kubectl scale statefulset web --replicas=14
lab wait 60s
