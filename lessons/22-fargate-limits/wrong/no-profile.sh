kubectl apply -f five.yaml
lab wait 30s
