lab answer plain worker-a
kubectl apply -f 1-plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f 2-picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f 3-big.yaml
lab wait idle
kubectl describe pod --selector app=big
sed -i '/requests:/,/memory:/s/cpu: "4"/cpu: "1"/' 3-big.yaml
kubectl apply -f 3-big.yaml
lab wait idle
