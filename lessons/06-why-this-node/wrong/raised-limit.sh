lab answer plain worker-a
kubectl apply -f 1-plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f 2-picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f 3-big.yaml
lab wait idle
kubectl set resources deployment big --limits=cpu=8
lab wait idle
