lab answer payments node-b
lab answer more-batch node-b
kubectl apply -f 1-payments.yaml
lab wait idle
kubectl apply -f 2-more-batch.yaml
lab wait idle
