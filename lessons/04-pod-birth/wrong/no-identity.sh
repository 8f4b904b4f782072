kubectl apply -f pod.yaml
lab wait idle
lab answer order authn,authz,admission,etcd,scheduler,bind,kubelet,cni,running
kubectl config set-credentials ghost --token=nobody-knows-this
kubectl run one --image=registry.k8s.io/pause:3.10 --user=ghost
kubectl run two --image=registry.k8s.io/pause:3.10 --user=ghost
