lab answer held 12
kubectl set env daemonset aws-node --namespace kube-system WARM_IP_TARGET=1 MINIMUM_IP_TARGET=6
lab wait idle
kubectl scale statefulset web --replicas=2
lab wait 130s
kubectl scale statefulset web --replicas=10
lab wait 20s
kubectl scale statefulset web --replicas=14
lab wait idle
