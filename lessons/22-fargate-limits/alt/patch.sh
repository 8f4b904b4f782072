lab answer five 3
lab answer vcpu 4
cat > profiles.yaml <<'EOF'
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: podpath, region: ap-northeast-2}
fargateProfiles:
  - name: box
    selectors: [{namespace: box}]
  - name: dns
    selectors: [{namespace: kube-system, labels: {k8s-app: kube-dns}}]
EOF
eksctl create fargateprofile -f profiles.yaml
kubectl apply -f five.yaml
kubectl patch deployment coredns --namespace kube-system --type json --patch '[{"op": "remove", "path": "/spec/template/metadata/annotations/eks.amazonaws.com~1compute-type"}]'
sed 's|^      containers:|      containers:\n        - name: agent\n          image: registry.k8s.io/pause:3.10|' shop.yaml > both.yaml
kubectl apply -f both.yaml
lab wait idle
