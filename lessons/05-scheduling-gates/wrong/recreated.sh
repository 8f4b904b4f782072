cat > waiter.yaml <<EOF
apiVersion: v1
kind: Pod
metadata: {name: waiter}
spec:
  schedulingGates: [{name: shop.dev/quota}, {name: shop.dev/image-scan}]
  containers: [{name: app, image: registry.k8s.io/pause:3.10}]
EOF
lab answer looked none
kubectl apply -f waiter.yaml
lab wait idle
kubectl delete pod waiter
cat > waiter.yaml <<EOF
apiVersion: v1
kind: Pod
metadata: {name: waiter}
spec:
  containers: [{name: app, image: registry.k8s.io/pause:3.10}]
EOF
kubectl apply -f waiter.yaml
lab wait idle
