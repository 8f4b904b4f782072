eksctl create fargateprofile -f profile.yaml
lab wait 15s
kubectl apply -f plain.yaml
lab wait idle
kubectl label pod --namespace jobs --selector run=plain fargate=yes
lab wait idle
