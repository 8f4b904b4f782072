lab answer lonely nowhere
lab answer first-db anywhere
kubectl apply -f 1-lonely.yaml
lab wait idle
kubectl apply -f 2-db-1.yaml
lab wait idle
kubectl apply -f 3-cache-1.yaml
lab wait idle
kubectl apply -f 4-db-2.yaml
lab wait idle
