lab answer plain worker-b
kubectl apply -f plain.yaml -f picky.yaml
lab wait idle
lab answer picky worker-b
lab answer big worker-a
kubectl apply -f big.yaml
lab wait idle
lab select $(kubectl get pods --selector app=big --output name)
kubectl set resources deployment big --requests=cpu=500m
lab wait idle
