eksctl create nodegroup --config-file=groups.yaml
lab wait idle
lab answer surge 4
eksctl upgrade nodegroup --cluster=podpath --name=ssd
lab wait idle
