lab answer plain worker-a
kubectl apply -f 1-plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f 2-picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f 3-big.yaml
lab wait idle
eksctl create nodegroup --cluster podpath --name roomy --node-type m5.2xlarge --nodes 1
lab wait idle
