sed 's/name: hello/name: my-first-pod/' pod.yaml | kubectl create -f -
lab wait goal:running
lab select pod/my-first-pod
