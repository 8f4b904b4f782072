lab answer plain worker-b
kubectl apply -f 1-plain.yaml -f 2-picky.yaml
lab wait idle
lab answer picky worker-b
lab answer big worker-a
kubectl apply -f 3-big.yaml
lab wait idle
lab select $(kubectl get pods --selector app=big --output name)
kubectl set resources deployment big --requests=cpu=500m
lab wait idle
