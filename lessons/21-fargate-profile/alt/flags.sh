lab answer moved move
eksctl create fargateprofile --cluster podpath --name jobs --namespace jobs --labels fargate=yes
lab wait goal:unmoved
kubectl apply -f plain.yaml
kubectl delete pod --namespace jobs --selector fargate=yes
lab wait goal:both
