lab answer p node-b
lab answer lost nowhere
kubectl apply -f 1-p.yaml
lab wait idle
kubectl apply -f 2-lost.yaml
lab wait idle
