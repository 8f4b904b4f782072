eksctl create nodegroup --config-file=groups.yaml
lab wait idle
eksctl scale nodegroup --cluster=podpath --name=ssd --nodes=0
lab wait idle
