kubectl scale deployment web --replicas=9
lab wait idle
lab answer seats 9
kubectl scale deployment web --replicas=12
lab wait idle
eksctl create nodegroup --cluster podpath --name big --node-type t3.medium --nodes 1 --node-labels podpath/role=worker
kubectl cordon --selector eks.amazonaws.com/nodegroup=small
lab wait idle
kubectl drain --selector eks.amazonaws.com/nodegroup=small --ignore-daemonsets
lab wait idle
eksctl delete nodegroup --cluster podpath --name small
lab wait idle
