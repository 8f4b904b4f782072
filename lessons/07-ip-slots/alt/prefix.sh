kubectl scale deployment web --replicas=9
lab wait idle
lab answer seats 11
kubectl scale deployment web --replicas=12
lab wait idle
kubectl set env daemonset aws-node --namespace kube-system ENABLE_PREFIX_DELEGATION=true
lab wait idle
cat > roomy.yaml <<EOF
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: podpath, region: ap-northeast-2}
managedNodeGroups:
  - name: roomy
    instanceType: t3.small
    desiredCapacity: 1
    maxPodsPerNode: 20
    labels: {podpath/role: worker}
EOF
eksctl create nodegroup --config-file roomy.yaml
kubectl drain --selector eks.amazonaws.com/nodegroup=small --ignore-daemonsets
lab wait idle
eksctl delete nodegroup --cluster podpath --name small
lab wait idle
