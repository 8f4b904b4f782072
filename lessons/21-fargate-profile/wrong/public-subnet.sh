sed 's/^  - name: jobs/  - name: jobs\n    subnets: [public-a]/' profile.yaml > public.yaml
eksctl create fargateprofile -f public.yaml
kubectl rollout restart deployment orders --namespace jobs
lab wait idle
