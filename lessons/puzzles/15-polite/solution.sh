lab answer polite nowhere
kubectl apply -f 1-polite.yaml
lab wait idle
