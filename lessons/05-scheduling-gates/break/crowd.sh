for i in $(seq 20); do
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: Pod
metadata: {name: crowd-$i, labels: {app: crowd}}
spec:
  schedulingGates: [{name: shop.dev/doors-open}]
  containers: [{name: app, image: registry.k8s.io/pause:3.10}]
EOF
done
lab wait idle
for i in $(seq 20); do kubectl patch pod crowd-$i --type=json -p='[{"op": "remove", "path": "/spec/schedulingGates"}]'; done
lab wait idle
