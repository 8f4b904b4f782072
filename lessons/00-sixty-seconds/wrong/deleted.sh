kubectl apply -f pod.yaml
lab wait idle
kubectl delete pod hello
lab wait idle
