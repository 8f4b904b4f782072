lab answer vcpu 1
eksctl create fargateprofile --cluster podpath --name box --namespace box
kubectl apply -f five.yaml
lab wait idle
