kubectl apply -f pod.yaml
lab wait idle
lab answer order authn,authz,admission,scheduler,bind,etcd,kubelet,cni,running
