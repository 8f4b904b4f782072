lab answer plain worker-a
kubectl apply -f 1-plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f 2-picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f 3-big.yaml
lab wait idle
cat > urgent.yaml <<EOF
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent}
value: 1000
EOF
kubectl apply -f urgent.yaml
kubectl patch deployment big -p='{"spec": {"template": {"spec": {"priorityClassName": "urgent"}}}}'
lab wait idle
