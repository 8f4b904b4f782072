lab wait 30s
kubectl delete pods --selector app=web --field-selector status.phase=Pending
lab wait 60s
