lab answer plain worker-a
kubectl apply -f plain.yaml
lab wait idle
lab answer picky worker-c
sed -i '/nodeSelector:/,/disk:/d' picky.yaml
kubectl apply -f picky.yaml
lab wait idle
