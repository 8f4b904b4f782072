lab answer hp-2 nowhere
kubectl apply -f 1-hp-0.yaml
lab wait idle
kubectl apply -f 2-hp-1.yaml
lab wait idle
kubectl apply -f 3-hp-2.yaml
lab wait idle
