kubectl apply -f pod.yaml
lab answer order authn,authz,admission,etcd,scheduler,bind,kubelet,cni,running
kubectl run broken --image=registry.k8s.io/puase:3.10
lab wait 40s
