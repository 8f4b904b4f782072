lab answer vip-1 node-b
lab answer vip-2 node-a
kubectl apply -f 1-vip-1.yaml
lab wait idle
kubectl apply -f 2-vip-2.yaml
lab wait idle
