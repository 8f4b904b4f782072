lab answer plain worker-a
kubectl apply -f plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f big.yaml
lab wait idle
kubectl describe pod --selector app=big
sed -i '/requests:/,/memory:/s/cpu: "4"/cpu: "1"/' big.yaml
kubectl apply -f big.yaml
lab wait idle
