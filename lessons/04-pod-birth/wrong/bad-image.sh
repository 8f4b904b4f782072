kubectl apply -f pod.yaml
lab answer order authn,authz,admission,etcd,scheduler,bind,kubelet,cni,running
kubectl run broken --image=no-such-image
lab wait 40s
