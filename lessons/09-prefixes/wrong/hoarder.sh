kubectl set env daemonset aws-node --namespace kube-system ENABLE_PREFIX_DELEGATION=true WARM_PREFIX_TARGET=4
lab wait idle
cat > street.yaml <<EOF
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: podpath, region: ap-northeast-2}
managedNodeGroups:
  - name: street
    instanceType: t3.small
    desiredCapacity: 1
    maxPodsPerNode: 34
    privateNetworking: true
    subnets: [pods-a]
    labels: {podpath/role: worker}
EOF
eksctl create nodegroup --config-file street.yaml
lab wait 60s
