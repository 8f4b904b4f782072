lab answer waits no
kubectl apply -f 1-web-0.yaml
lab wait idle
kubectl apply -f 2-web-1.yaml
lab wait idle
kubectl apply -f 3-web-2.yaml
lab wait idle
kubectl apply -f 4-web-3.yaml
lab wait idle
kubectl apply -f 5-web-4.yaml
lab wait idle
kubectl apply -f 6-web-5.yaml
lab wait idle
