lab answer scheduler no-node
lab fault stop scheduler
kubectl scale deployment web --replicas=4
lab wait goal:unplaced
lab fault clear scheduler
lab wait idle
lab answer controllers missing
lab fault stop controller-manager
kubectl delete deployment web
lab wait 20s
