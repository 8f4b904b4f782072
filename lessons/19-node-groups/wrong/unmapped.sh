eksctl create nodegroup --config-file=groups.yaml --update-auth-configmap=false
lab wait 60s
