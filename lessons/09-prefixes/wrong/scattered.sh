kubectl set env daemonset aws-node --namespace kube-system ENABLE_PREFIX_DELEGATION=true WARM_PREFIX_TARGET=1
lab wait idle
cat > old.yaml <<EOF
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: podpath, region: ap-northeast-2}
managedNodeGroups:
  - name: old
    instanceType: t3.small
    desiredCapacity: 1
    maxPodsPerNode: 34
    privateNetworking: true
    subnets: [scattered-a]
    labels: {podpath/role: worker}
EOF
eksctl create nodegroup --config-file old.yaml
kubectl drain worker-a --ignore-daemonsets
lab wait idle
kubectl scale deployment web --replicas=30
lab wait idle
