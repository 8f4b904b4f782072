lab answer pinned nowhere
lab answer drawn no
kubectl apply -f 1-plain.yaml
lab wait idle
kubectl apply -f 2-tolerant.yaml
lab wait idle
kubectl apply -f 3-pinned.yaml
lab wait idle
kubectl apply -f 4-pinned-tolerant.yaml
lab wait idle
