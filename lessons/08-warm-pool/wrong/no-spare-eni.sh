kubectl set env daemonset aws-node --namespace kube-system WARM_ENI_TARGET=0
lab wait 150s
kubectl scale statefulset web --replicas=2
lab wait 150s
kubectl scale statefulset web --replicas=10
lab wait 60s
