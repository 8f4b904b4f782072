lab fault stop scheduler
lab fault stop controller-manager
lab fault stop api
lab fault stop etcd
lab wait 600s
lab fault clear
lab wait idle
kubectl get events --sort-by=.lastTimestamp
