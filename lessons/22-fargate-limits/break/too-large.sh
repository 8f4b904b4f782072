eksctl create fargateprofile --cluster podpath --name box --namespace box
kubectl apply -f shop.yaml
kubectl set resources deployment shop --namespace box --requests=cpu=17 --limits=cpu=17
lab wait idle
