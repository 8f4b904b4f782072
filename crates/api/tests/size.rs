//! Manifests of every size: long ones are read in one go, none is read for ever.

use api::diagnose;

#[test]
fn a_stream_of_a_thousand_lines_has_nothing_to_remark() {
    let one = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      labels: {app: web}\n    spec:\n      containers:\n      - name: web\n        image: nginx\n        ports:\n        - containerPort: 80\n        resources:\n          requests: {cpu: 100m}\n---\n";
    let text = one.repeat(50);
    assert_eq!(text.lines().count(), 1000);
    assert_eq!(diagnose::manifest(&text), []);
}

#[test]
fn a_huge_number_of_replicas_is_only_a_number() {
    let text = "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\nspec:\n  replicas: 100000000\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: a, image: b}]}\n";
    assert_eq!(diagnose::manifest(text), []);
}
