lab answer moved stay
eksctl create fargateprofile -f profile.yaml
lab wait 15s
kubectl rollout restart deployment orders --namespace jobs
lab wait idle
kubectl apply -f plain.yaml
lab wait idle
lab wait 10s
