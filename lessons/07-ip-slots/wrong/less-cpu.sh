kubectl scale deployment web --replicas=9
lab wait idle
lab answer seats 12
kubectl scale deployment web --replicas=12
lab wait idle
kubectl set resources deployment web --requests=cpu=10m
lab wait idle
