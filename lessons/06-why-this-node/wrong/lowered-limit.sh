lab answer plain worker-a
kubectl apply -f plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f big.yaml
lab wait idle
kubectl set resources deployment big --limits=cpu=1
lab wait idle
