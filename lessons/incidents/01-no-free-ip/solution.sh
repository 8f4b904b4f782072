kubectl set env daemonset aws-node --namespace kube-system MINIMUM_IP_TARGET=7
lab wait idle
lab explain no-address subnet/pods-a
