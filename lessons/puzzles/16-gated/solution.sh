lab answer held nowhere
kubectl apply -f 1-held.yaml
lab wait idle
kubectl apply -f 2-free.yaml
lab wait idle
