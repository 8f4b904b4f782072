#![allow(clippy::unwrap_used, reason = "tests say what must hold")]
use api::{Kind, Object, SimDuration};
use serde_json::{Value, json};

use crate::{
    ApiRequest, ApiVerb, Principal, Reply, Request,
    fixture::{HERE, cluster, config, create, delete, get, list, merge, pod, replace, settle},
    request::Stage,
};

#[test]
fn a_fresh_cluster_has_what_a_fresh_cluster_has() {
    let mut world = cluster();
    let namespaces = list(&mut world, Kind::Namespace, "", "", "").unwrap();
    assert_eq!(namespaces, ["default", "kube-node-lease", "kube-public", "kube-system"]);
    assert_eq!(list(&mut world, Kind::ConfigMap, "default", "", "").unwrap(), ["kube-root-ca.crt"]);
    assert_eq!(list(&mut world, Kind::ServiceAccount, "kube-system", "", "").unwrap().len(), 35);
    let service = get(&mut world, Kind::Service, "kubernetes").unwrap().to_value();
    assert_eq!(service["spec"]["clusterIP"], "172.20.0.1");
}

#[test]
fn a_new_pod_gets_what_only_the_server_may_say() {
    let mut world = cluster();
    let made = create(&mut world, pod("web")).unwrap().to_value();
    assert_eq!(made["status"]["phase"], "Pending");
    assert_eq!(made["status"]["qosClass"], "BestEffort");
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made["spec"]["serviceAccountName"], "default");
    assert_eq!(made["spec"]["priority"], 0);
    assert_eq!(made["spec"]["tolerations"][1]["key"], "node.kubernetes.io/unreachable");
    let volume = made["spec"]["volumes"][0]["name"].as_str().unwrap();
    assert!(volume.starts_with("kube-api-access-"), "{volume}");
    assert_eq!(made["spec"]["containers"][0]["volumeMounts"][0]["name"], volume);
}

#[test]
fn a_gated_pod_is_marked_by_the_api_server_itself() {
    let mut world = cluster();
    let mut gated = pod("web");
    gated["spec"]["schedulingGates"] = json!([{"name": "example.com/hold"}]);
    let made = create(&mut world, gated).unwrap().to_value();
    let condition = &made["status"]["conditions"][0];
    assert_eq!(condition["reason"], "SchedulingGated");
    assert_eq!(condition["message"], "Scheduling is blocked due to non-empty scheduling gates");
}

#[test]
fn refusals_speak_as_the_server_speaks() {
    let mut world = cluster();
    create(&mut world, config("c")).unwrap();
    assert_eq!(create(&mut world, config("c")).unwrap_err(), "configmaps \"c\" already exists");
    assert_eq!(get(&mut world, Kind::Pod, "x").unwrap_err(), "pods \"x\" not found");
    let mut lost = config("d");
    lost["metadata"]["namespace"] = json!("nons");
    assert_eq!(create(&mut world, lost).unwrap_err(), "namespaces \"nons\" not found");
    let mut ghost = pod("api");
    ghost["spec"]["serviceAccountName"] = json!("ghost");
    assert_eq!(
        create(&mut world, ghost).unwrap_err(),
        "pods \"api\" is forbidden: error looking up service account default/ghost: serviceaccount \"ghost\" not found"
    );
    assert_eq!(
        delete(&mut world, Kind::Namespace, "default").unwrap_err(),
        "namespaces \"default\" is forbidden: this namespace may not be deleted"
    );
    assert_eq!(
        list(&mut world, Kind::Pod, "default", "", "spec.foo=bar").unwrap_err(),
        "field label not supported: spec.foo"
    );
}

#[test]
fn a_stale_replacement_is_a_conflict() {
    let mut world = cluster();
    let old = create(&mut world, config("c")).unwrap();
    merge(&mut world, Kind::ConfigMap, "c", json!({"metadata": {"labels": {"x": "y"}}})).unwrap();
    assert_eq!(
        replace(&mut world, &old).unwrap_err(),
        "Operation cannot be fulfilled on configmaps \"c\": the object has been modified; \
         please apply your changes to the latest version and try again"
    );
}

#[test]
fn a_patch_that_changes_nothing_writes_nothing() {
    let mut world = cluster();
    create(&mut world, config("c")).unwrap();
    let before = world.store().revision();
    merge(&mut world, Kind::ConfigMap, "c", json!({"data": {"a": "1"}})).unwrap();
    assert_eq!(world.store().revision(), before);
}

#[test]
fn a_dry_run_passes_every_stage_but_the_write() {
    let mut world = cluster();
    let before = world.digest();
    let request = ApiRequest::new(HERE, ApiVerb::Create(pod("web")), Kind::Pod, "default", "").dry(true);
    let Ok(Reply::Object(made)) = world.request(&Principal::admin(), Request::Api(request)) else {
        panic!("a pod")
    };
    assert!(made.meta().uid.is_some());
    assert_eq!(world.digest(), before);
}

#[test]
fn the_stages_of_a_request_are_told_in_order() {
    let mut world = cluster();
    create(&mut world, pod("web")).unwrap();
    let asked = world.last_asked().unwrap();
    let mut stages: Vec<Stage> = asked.passed.iter().map(|passed| passed.stage).collect();
    let admitted: Vec<&str> =
        asked.passed.iter().filter(|p| p.stage == Stage::MutatingAdmission).map(|p| p.by).collect();
    assert_eq!(
        admitted,
        ["NamespaceLifecycle", "LimitRanger", "ServiceAccount", "Priority", "DefaultTolerationSeconds"]
    );
    assert!(stages.is_sorted(), "{stages:?}");
    stages.dedup();
    assert_eq!(stages.len(), 7);
}

#[test]
fn an_object_with_a_finalizer_waits_for_it() {
    let mut world = cluster();
    let mut held = config("c");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    create(&mut world, held).unwrap();
    delete(&mut world, Kind::ConfigMap, "c").unwrap();
    assert!(get(&mut world, Kind::ConfigMap, "c").unwrap().meta().deletion_timestamp.is_some());
    merge(&mut world, Kind::ConfigMap, "c", json!({"metadata": {"finalizers": null}})).unwrap();
    assert!(get(&mut world, Kind::ConfigMap, "c").is_err());
}

#[test]
fn a_service_gets_an_address_of_the_upper_band_and_keeps_it() {
    let mut world = cluster();
    let service = |name: &str, ip: Value| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"clusterIP": ip, "type": "NodePort", "ports": [{"port": 80}]}})
    };
    let made = create(&mut world, service("web", Value::Null)).unwrap().to_value();
    let ip: std::net::Ipv4Addr = made["spec"]["clusterIP"].as_str().unwrap().parse().unwrap();
    assert!(ip > "172.20.1.0".parse::<std::net::Ipv4Addr>().unwrap(), "{ip}");
    assert!((30086..=32767).contains(&made["spec"]["ports"][0]["nodePort"].as_i64().unwrap()));
    let patched = merge(&mut world, Kind::Service, "web", json!({"spec": {"selector": {"a": "b"}}}))
        .unwrap()
        .to_value();
    assert_eq!(patched["spec"]["clusterIP"], made["spec"]["clusterIP"]);
    assert_eq!(patched["spec"]["ports"], made["spec"]["ports"]);
    assert_eq!(
        create(&mut world, service("far", json!("10.0.0.5"))).unwrap_err(),
        "Service \"far\" is invalid: spec.clusterIPs: Invalid value: [\"10.0.0.5\"]: failed to allocate IP 10.0.0.5: \
         the provided network does not match the current range"
    );
}

#[test]
fn generated_names_differ_even_in_one_instant() {
    let mut world = cluster();
    let generated = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "c-"}});
    let names: std::collections::BTreeSet<String> =
        (0..50).map(|_| create(&mut world, generated.clone()).unwrap().name().to_owned()).collect();
    assert_eq!(names.len(), 50);
    assert!(names.iter().all(|name| name.len() == 7));
}

#[test]
fn a_pod_without_a_node_is_gone_at_once_and_one_with_a_node_gets_its_grace() {
    let mut world = cluster();
    create(&mut world, pod("a")).unwrap();
    delete(&mut world, Kind::Pod, "a").unwrap();
    assert!(get(&mut world, Kind::Pod, "a").is_err());
    let mut bound = pod("b");
    bound["spec"]["nodeName"] = json!("nowhere");
    create(&mut world, bound).unwrap();
    let going = delete(&mut world, Kind::Pod, "b").unwrap();
    assert_eq!(going.meta().deletion_grace_period_seconds, Some(30));
    assert_eq!(going.meta().generation, Some(2));
}

#[test]
fn scale_is_a_part_of_a_deployment() {
    let mut world = cluster();
    create(&mut world, json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}))
    .unwrap();
    settle(&mut world);
    let patch = ApiVerb::Patch(crate::PatchKind::Merge, json!({"spec": {"replicas": 5}}));
    let request = ApiRequest::new(HERE, patch, Kind::Deployment, "default", "web").of("scale");
    world.request(&Principal::admin(), Request::Api(request)).unwrap();
    let web = get(&mut world, Kind::Deployment, "web").unwrap();
    assert_eq!((web.to_value()["spec"]["replicas"].as_i64(), web.meta().generation), (Some(5), Some(2)));
}

#[test]
fn nobody_and_strangers_are_turned_away() {
    let mut world = cluster();
    let mut ask = |user: &str| {
        let who = Principal { user: user.to_owned(), ..Principal::default() };
        let verb = ApiVerb::List {
            label_selector: String::new(),
            field_selector: String::new(),
            page: crate::request::Page::default(),
        };
        let request = ApiRequest::new(HERE, verb, Kind::Pod, "default", "");
        world.request(&who, Request::Api(request)).unwrap_err().to_string()
    };
    assert_eq!(ask(""), "Unauthorized");
    assert!(ask("dev").starts_with("pods is forbidden: User \"dev\" cannot list resource \"pods\""));
}

#[test]
fn a_role_and_its_binding_let_somebody_in() {
    let mut world = cluster();
    let group = "rbac.authorization.k8s.io";
    create(
        &mut world,
        json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": {"name": "r"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]}),
    )
    .unwrap();
    create(
        &mut world,
        json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": {"name": "b"},
        "subjects": [{"kind": "User", "name": "dev", "apiGroup": group}],
        "roleRef": {"kind": "Role", "name": "r", "apiGroup": group}}),
    )
    .unwrap();
    let who = Principal::system("dev");
    let verb = ApiVerb::List {
        label_selector: String::new(),
        field_selector: String::new(),
        page: crate::request::Page::default(),
    };
    let request = ApiRequest::new(HERE, verb, Kind::Pod, "default", "");
    assert!(world.request(&who, Request::Api(request)).is_ok());
    let allowed = &world.last_asked().unwrap().passed[1];
    assert_eq!(allowed.by, "RBAC");
    let did: Vec<String> = allowed.did.iter().map(|(what, value)| format!("{what} {value}")).collect();
    assert_eq!(
        did,
        [
            "binding RoleBinding/default/b",
            "role Role/default/r",
            "subject User \"dev\"",
            r#"rule {"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}"#,
        ]
    );
    let request = ApiRequest::new(HERE, ApiVerb::Create(pod("x")), Kind::Pod, "default", "");
    assert!(world.request(&who, Request::Api(request)).is_err());
}

#[test]
fn time_does_not_pass_for_a_request() {
    let mut world = cluster();
    let before = world.now();
    create(&mut world, pod("web")).unwrap();
    assert_eq!(world.now().since(before), SimDuration::ZERO);
    assert!(matches!(*get(&mut world, Kind::Pod, "web").unwrap(), Object::Pod(_)));
}

#[test]
fn an_applied_manifest_conflicts_with_whoever_owns_the_field() {
    let mut world = cluster();
    let kind = Kind::ConfigMap;
    let ask = |world: &mut crate::World, verb: ApiVerb, manager: &str| {
        let request = ApiRequest::new(HERE, verb, kind, "default", "c").by(manager);
        world.request(&Principal::admin(), Request::Api(request)).map_err(|refusal| refusal.to_string())
    };
    let apply = |force: bool, value: &str| {
        let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}, "data": {"a": value}});
        ApiVerb::Patch(crate::PatchKind::Apply { force }, manifest)
    };
    ask(&mut world, apply(false, "1"), "kubectl").unwrap();
    assert_eq!(
        ask(&mut world, apply(false, "2"), "robot").unwrap_err(),
        "Apply failed with 1 conflict: conflict with \"kubectl\": .data.a"
    );
    ask(&mut world, apply(true, "2"), "robot").unwrap();
    let meta = get(&mut world, kind, "c").unwrap().meta().clone();
    let managers: Vec<String> =
        meta.managed_fields.into_iter().flatten().filter_map(|it| it.manager).collect();
    assert_eq!(managers, ["robot"]);
}
