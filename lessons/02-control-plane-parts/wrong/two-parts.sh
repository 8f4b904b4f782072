lab answer scheduler no-node
lab fault stop scheduler
lab fault stop controller-manager
kubectl scale deployment web --replicas=4
lab wait 40s
