eksctl create nodegroup --config-file=groups.yaml
lab wait idle
kubectl patch poddisruptionbudget web --patch '{"spec": {"minAvailable": 2}}'
aws eks update-nodegroup-version --cluster-name podpath --nodegroup-name ssd
lab wait 18m
