lab answer w-2 nowhere
kubectl apply -f 1-w-0.yaml
lab wait idle
kubectl apply -f 2-w-1.yaml
lab wait idle
kubectl apply -f 3-w-2.yaml
lab wait idle
kubectl apply -f 4-w-3.yaml
lab wait idle
