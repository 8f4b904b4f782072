lab answer plain worker-a
kubectl apply -f plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f big.yaml
lab wait idle
eksctl create nodegroup --cluster podpath --name roomy --node-type m5.2xlarge --nodes 1
lab wait idle
