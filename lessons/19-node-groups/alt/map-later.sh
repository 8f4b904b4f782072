eksctl create nodegroup --config-file=groups.yaml --update-auth-configmap=false
lab wait 60s
role=$(eksctl get nodegroup --cluster=podpath --name=own -o json | jq -r '.[0].NodeInstanceRoleARN')
aws eks create-access-entry --cluster-name podpath --principal-arn "$role" --type EC2_LINUX
lab wait goal:own
lab answer surge 4
eksctl upgrade nodegroup --cluster=podpath --name=ssd
lab wait idle
