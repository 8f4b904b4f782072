lab answer db nowhere
kubectl apply -f 1-first.yaml
lab wait idle
kubectl apply -f 2-db.yaml
lab wait idle
kubectl apply -f 3-ghost.yaml
lab wait idle
