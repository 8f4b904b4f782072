lab answer plain worker-a
kubectl apply -f 1-plain.yaml
lab wait idle
lab answer picky worker-c
sed -i '/nodeSelector:/,/disk:/d' 2-picky.yaml
kubectl apply -f 2-picky.yaml
lab wait idle
