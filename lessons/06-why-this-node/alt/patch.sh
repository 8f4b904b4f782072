lab answer plain worker-a
kubectl apply -f plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f big.yaml
lab wait idle
kubectl patch deployment big --type=json -p='[{"op": "replace", "path": "/spec/template/spec/containers/0/resources/requests/cpu", "value": "250m"}]'
lab wait idle
