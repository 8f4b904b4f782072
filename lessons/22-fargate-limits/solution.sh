lab answer five 1
lab answer vcpu 2
eksctl create fargateprofile --cluster podpath --name box --namespace box
kubectl apply -f five.yaml
cat > sidecar.yaml <<'EOF'
spec:
  template:
    spec:
      containers:
        - name: agent
          image: registry.k8s.io/pause:3.10
          resources:
            requests: {cpu: 50m, memory: 64Mi}
            limits: {cpu: 50m, memory: 64Mi}
EOF
kubectl apply -f shop.yaml
kubectl patch deployment shop --namespace box --patch-file sidecar.yaml
lab wait idle
eksctl create fargateprofile --cluster podpath --name dns --namespace kube-system --labels eks.amazonaws.com/component=coredns
lab wait idle
