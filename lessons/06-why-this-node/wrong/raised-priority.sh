lab answer plain worker-a
kubectl apply -f plain.yaml
lab wait idle
lab answer picky worker-c
kubectl apply -f picky.yaml
lab wait idle
lab answer big nowhere
kubectl apply -f big.yaml
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
