lab answer big nowhere
kubectl apply -f 1-big.yaml
lab wait idle
kubectl apply -f 2-fits.yaml
lab wait idle
