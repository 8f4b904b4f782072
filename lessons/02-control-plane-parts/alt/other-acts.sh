lab fault stop scheduler
lab answer scheduler runs
kubectl run spare --image=nginx:1.27 --labels app=web
lab wait 40s
lab fault clear
kubectl delete pod spare
lab wait idle
lab fault stop controller-manager
lab answer controllers replaced
kubectl delete pods --selector app=web
lab wait 20s
lab fault clear
lab wait idle
lab fault stop etcd
lab answer etcd nothing
kubectl scale deployment web --replicas=5
lab fault clear etcd
lab wait idle
lab fault stop kubelet worker-a
lab answer kubelet die
lab wait 60s
lab node restart worker-a
lab wait idle
lab fault stop runtime worker-a
lab answer runtime starts
cat <<EOF | kubectl create -f -
apiVersion: v1
kind: Pod
metadata: {name: here}
spec: {nodeName: worker-a, containers: [{name: app, image: registry.k8s.io/pause:3.10}]}
EOF
lab wait 5s
lab node restart worker-a
lab wait idle
lab fault stop kube-proxy worker-a
lab answer proxy all
kubectl create service clusterip web2 --tcp=80
kubectl set selector service web2 app=web
lab wait idle
