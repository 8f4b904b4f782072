kubectl scale deployment web --replicas=9
lab wait idle
lab answer seats 12
kubectl scale deployment web --replicas=12
lab wait idle
eksctl scale nodegroup --cluster podpath --name small --nodes 2 --nodes-max 2
lab wait idle
