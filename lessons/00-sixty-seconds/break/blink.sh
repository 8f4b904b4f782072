sed 's/name: hello/name: blink/' pod.yaml | kubectl apply -f - && lab wait 1s && kubectl delete pod blink --wait=false
lab wait idle
