lab answer slots 2
kubectl set env daemonset aws-node --namespace kube-system ENABLE_PREFIX_DELEGATION=true WARM_IP_TARGET=4 MINIMUM_IP_TARGET=32
lab wait idle
cat > street.yaml <<EOF
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: podpath, region: ap-northeast-2}
managedNodeGroups:
  - name: street
    instanceType: t3.small
    desiredCapacity: 1
    maxPodsPerNode: 40
    privateNetworking: true
    subnets: [pods-a]
    labels: {podpath/role: worker}
EOF
eksctl create nodegroup --config-file street.yaml
kubectl cordon worker-a
kubectl delete pods --selector app=web
kubectl scale deployment web --replicas=30
lab wait idle
