eksctl create nodegroup --config-file=groups.yaml
lab wait idle
lab answer surge 4
aws eks update-nodegroup-version --cluster-name podpath --nodegroup-name ssd
lab wait goal:rolled
