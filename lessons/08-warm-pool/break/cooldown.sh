kubectl delete pod web-0 web-1 web-2 web-3 web-4 web-5
lab wait 5s
