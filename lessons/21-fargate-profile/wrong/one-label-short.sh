eksctl create fargateprofile --cluster podpath --name jobs --namespace jobs --labels fargate=yes,tier=night
lab wait 15s
kubectl rollout restart deployment orders --namespace jobs
lab wait idle
