cat > waiter.yaml <<EOF
apiVersion: v1
kind: Pod
metadata: {name: waiter}
spec:
  schedulingGates: [{name: shop.dev/quota}, {name: shop.dev/image-scan}]
  containers: [{name: app, image: registry.k8s.io/pause:3.10}]
EOF
lab answer looked one-node
kubectl create -f waiter.yaml
lab wait idle
lab answer after-one starts
kubectl patch pod waiter --type=json -p='[{"op": "remove", "path": "/spec/schedulingGates/0"}]'
lab wait idle
kubectl patch pod waiter --type=json -p='[{"op": "remove", "path": "/spec/schedulingGates/0"}]'
lab wait idle
