lab answer scheduler no-node
lab fault stop scheduler
kubectl scale deployment web --replicas=4
lab wait goal:unplaced
lab fault clear scheduler
lab wait idle
lab answer controllers missing
lab fault stop controller-manager
kubectl delete $(kubectl get pods --selector app=web --output name | head -n 1)
lab wait goal:unreplaced
lab fault clear controller-manager
lab wait idle
lab answer etcd writes-stop
lab fault stop etcd-a
lab fault stop etcd-b
kubectl create configmap note --from-literal=who=me
lab trace client web:80
lab fault clear etcd
lab wait idle
lab answer kubelet go-on
lab fault stop kubelet worker-a
lab wait goal:silent
lab fault clear kubelet worker-a
lab wait idle
lab answer runtime waits
lab fault stop runtime worker-a
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: Pod
metadata: {name: late}
spec:
  nodeName: worker-a
  containers: [{name: app, image: nginx:1.27}]
EOF
lab wait goal:unstarted
lab fault clear runtime worker-a
lab wait idle
lab answer proxy new-only
lab fault stop kube-proxy worker-a
kubectl expose deployment web --name web2 --port 80
lab wait idle
