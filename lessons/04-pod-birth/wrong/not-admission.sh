kubectl apply -f pod.yaml
lab wait idle
lab answer order authn,authz,admission,etcd,scheduler,bind,kubelet,cni,running
kubectl run Not_A_Name --image=registry.k8s.io/pause:3.10
