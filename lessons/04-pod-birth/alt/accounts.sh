lab answer order authn,authz,admission,etcd,scheduler,bind,cni,kubelet,running
kubectl create -f pod.yaml
lab wait idle
kubectl config set-credentials robot --token=$(kubectl create token default)
kubectl --user=robot create -f pod.yaml
kubectl config set-credentials stranger --token=abc
kubectl --user=stranger create -f pod.yaml
cat > lonely.yaml <<EOF
apiVersion: v1
kind: Pod
metadata: {name: lonely}
spec:
  serviceAccountName: nobody
  containers: [{name: app, image: registry.k8s.io/pause:3.10}]
EOF
kubectl create -f lonely.yaml
