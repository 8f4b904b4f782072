lab answer plain worker-a
kubectl apply -f 1-plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f 2-picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f 3-big.yaml
lab wait idle
kubectl patch deployment big --type=json -p='[{"op": "replace", "path": "/spec/template/spec/containers/0/resources/requests/cpu", "value": "250m"}]'
lab wait idle
