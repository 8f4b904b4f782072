kubectl scale deployment web --replicas=9
lab wait idle
lab answer seats 12
kubectl scale deployment web --replicas=12
lab wait idle
lab node set-max-pods worker-a 30
lab wait idle
