aws ec2 create-subnet-cidr-reservation --subnet-id spare-a --cidr 10.0.65.80/28 --reservation-type prefix
aws ec2 create-network-interface --subnet-id spare-a --private-ip-address 10.0.65.100
kubectl set env daemonset aws-node --namespace kube-system ENABLE_PREFIX_DELEGATION=true
lab wait idle
cat > spare.yaml <<EOF
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: podpath, region: ap-northeast-2}
managedNodeGroups:
  - name: spare
    instanceType: t3.small
    desiredCapacity: 1
    maxPodsPerNode: 16
    privateNetworking: true
    subnets: [spare-a]
    labels: {podpath/role: worker}
EOF
eksctl create nodegroup --config-file spare.yaml
lab wait idle
