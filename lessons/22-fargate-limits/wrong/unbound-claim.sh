eksctl create fargateprofile --cluster podpath --name box --namespace box
cat > files.yaml <<'EOF'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files, namespace: box}
spec:
  accessModes: [ReadWriteMany]
  storageClassName: efs
  resources: {requests: {storage: 5Gi}}
---
apiVersion: v1
kind: Pod
metadata: {name: files, namespace: box}
spec:
  containers:
    - {name: app, image: registry.k8s.io/pause:3.10, volumeMounts: [{name: files, mountPath: /files}]}
  volumes: [{name: files, persistentVolumeClaim: {claimName: files}}]
EOF
kubectl apply -f files.yaml
lab wait idle
