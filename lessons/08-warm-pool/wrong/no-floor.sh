kubectl set env daemonset aws-node --namespace kube-system WARM_IP_TARGET=1
lab wait idle
kubectl scale statefulset web --replicas=2
lab wait 130s
kubectl scale statefulset web --replicas=10
lab wait 60s
