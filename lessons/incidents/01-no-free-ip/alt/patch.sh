lab explain no-address Subnet/pods-b
kubectl patch daemonset aws-node --namespace kube-system --patch '{"spec": {"template": {"spec": {"containers": [{"name": "aws-node", "env": [{"name": "MINIMUM_IP_TARGET", "value": "7"}]}]}}}}'
lab wait idle
