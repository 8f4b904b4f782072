lab answer db-3 nowhere
kubectl apply -f 1-db-0.yaml
lab wait idle
kubectl apply -f 2-db-1.yaml
lab wait idle
kubectl apply -f 3-db-2.yaml
lab wait idle
kubectl apply -f 4-db-3.yaml
lab wait idle
