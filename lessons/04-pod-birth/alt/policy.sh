kubectl apply -f pod.yaml
lab wait idle
lab answer order authn,authz,admission,etcd,scheduler,bind,kubelet,cni,running
kubectl create namespace strict
kubectl label namespace strict pod-security.kubernetes.io/enforce=restricted
kubectl run root --image=registry.k8s.io/pause:3.10 --namespace=strict
kubectl apply -f pod.yaml --as=dev --as-group=developers
kubectl config set-credentials ghost --token=x
kubectl apply -f pod.yaml --user=ghost
