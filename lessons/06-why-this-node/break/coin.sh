kubectl delete deployment chat
kubectl delete pod batch
kubectl scale deployment coredns --namespace kube-system --replicas=0
lab wait idle
kubectl run coin --image=registry.k8s.io/pause:3.10
lab wait idle
