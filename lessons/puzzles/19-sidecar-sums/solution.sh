lab answer sum 1500
lab answer next nowhere
kubectl apply -f 1-job.yaml
lab wait idle
kubectl apply -f 2-next.yaml
lab wait idle
kubectl apply -f 3-last.yaml
lab wait idle
