kubectl apply -f pod.yaml
lab wait idle
lab answer order authn,authz,admission,etcd,scheduler,bind,kubelet,cni,running
kubectl config set-credentials ghost --token=nobody-knows-this
kubectl run ghost --image=registry.k8s.io/pause:3.10 --user=ghost
kubectl run visitor --image=registry.k8s.io/pause:3.10 --as=visitor
kubectl run lost --image=registry.k8s.io/pause:3.10 --namespace=nowhere
