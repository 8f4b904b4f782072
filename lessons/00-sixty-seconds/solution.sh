kubectl apply -f pod.yaml
lab wait idle
lab select pod/hello
