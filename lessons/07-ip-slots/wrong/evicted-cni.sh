kubectl scale deployment web --replicas=9
lab wait idle
lab answer seats 12
kubectl scale deployment web --replicas=12
lab wait idle
kubectl delete daemonset aws-node --namespace kube-system
lab wait idle
