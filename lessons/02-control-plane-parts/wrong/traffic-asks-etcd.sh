lab answer scheduler no-node
lab fault stop scheduler
kubectl scale deployment web --replicas=4
lab wait goal:unplaced
lab fault clear scheduler
lab wait idle
lab answer controllers missing
lab fault stop controller-manager
kubectl delete $(kubectl get pods --selector app=web --output name | head -n 1)
lab wait goal:unreplaced
lab fault clear controller-manager
lab wait idle
lab answer etcd traffic-stops
lab fault stop etcd
lab trace client web:80
