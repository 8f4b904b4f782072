eksctl create nodegroup --config-file=groups.yaml
lab wait idle
aws ec2 terminate-instances --instance-ids $(aws ec2 describe-instances --filters Name=tag:alpha.eksctl.io/nodegroup-name,Values=own --query 'Reservations[0].Instances[0].InstanceId' --output text)
lab wait 10s
