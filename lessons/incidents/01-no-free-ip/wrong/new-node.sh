lab wait 30s
lab node add
lab wait 120s
