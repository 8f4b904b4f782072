kubectl set env daemonset aws-node --namespace kube-system AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG=true
lab wait idle
eksctl create nodegroup --cluster podpath --name custom --node-type t3.small --nodes 1 --max-pods-per-node 8
lab wait idle
