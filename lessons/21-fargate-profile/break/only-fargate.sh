eksctl create fargateprofile -f profile.yaml
eksctl scale nodegroup --cluster podpath --name main --nodes 0
lab wait idle
