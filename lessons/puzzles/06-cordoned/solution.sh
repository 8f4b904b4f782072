lab answer p node-b
lab answer q nowhere
kubectl apply -f 1-p.yaml
lab wait idle
kubectl apply -f 2-q.yaml
lab wait idle
