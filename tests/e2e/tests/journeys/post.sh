# one node, made from a here-document
kind create cluster --name myk8s --image kindest/node:v1.32.2 --config - <<EOF
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings:
  - containerPort: 30000
    hostPort: 30000
EOF

# the node is there
kubectl get node

# a pod with two gates
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: Pod
metadata:
  name: test-pod
spec:
  schedulingGates:
  - name: example.com/foo
  - name: example.com/bar
  containers:
  - name: pause
    image: registry.k8s.io/pause:3.6
  terminationGracePeriodSeconds: 0
EOF

kubectl get pod
kubectl get pod test-pod -o jsonpath='{.spec.schedulingGates}'
kubectl get pod -o yaml | grep -i nodename

# the same pod without gates
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: Pod
metadata:
  name: test-pod
spec:
  containers:
  - name: pause
    image: registry.k8s.io/pause:3.6
  terminationGracePeriodSeconds: 0
EOF

kubectl get pod test-pod -o jsonpath='{.spec.schedulingGates}'
kubectl get pod
kubectl get pod -o yaml | grep -i nodename
nodeName: myk8s-control-plane

# and away with it
kubectl delete pod test-pod
kind delete cluster --name myk8s
