cat > targets.yaml <<EOF
spec:
  template:
    spec:
      containers:
        - name: aws-node
          env:
            - {name: WARM_IP_TARGET, value: "1"}
            - {name: MINIMUM_IP_TARGET, value: "6"}
EOF
kubectl patch daemonset aws-node --namespace kube-system --patch-file targets.yaml
kubectl rollout status daemonset aws-node --namespace kube-system
lab wait idle
lab answer held 12
kubectl scale statefulset web --replicas=2
lab wait goal:small
kubectl scale statefulset web --replicas=10
lab wait goal:burst
kubectl scale statefulset web --replicas=14
lab wait idle
