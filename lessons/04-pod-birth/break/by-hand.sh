cat > shortcut.yaml <<EOF
apiVersion: v1
kind: Pod
metadata: {name: shortcut}
spec:
  nodeName: kind1-control-plane
  containers: [{name: app, image: registry.k8s.io/pause:3.10}]
EOF
kubectl apply -f shortcut.yaml
lab wait idle
