lab answer p node-c
lab answer q nowhere
kubectl apply -f 1-p.yaml
lab wait idle
kubectl apply -f 2-q.yaml
lab wait idle
kubectl apply -f 3-r.yaml
lab wait idle
