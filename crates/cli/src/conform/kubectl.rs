//! Suite `kubectl`: does every command print what the real kubectl printed?
//!
//! A case starts from a recorded state, with the clock pinned to its `now`. In a single command nothing reacts; in a sequence the
//! controllers live and simulated time runs until idle after each step. Format: vectors/kubectl/FORMAT.md.

mod observed;

use std::{cell::RefCell, collections::BTreeMap, io::Read, net::Ipv4Addr};

use api::{
    Kind, Object, Resource, SimDuration,
    kinds::sim::{
        ContainerStep, ContainerWork, ControlPlane, Image, Machine as NodeMachine, Provider, Sandbox,
        SandboxStep,
    },
    meta::ObjectMeta,
};
use cluster::{ClusterId, World};
use serde_json::Value;
use shell::{
    Machine, Output,
    kubectl::kubeconfig::{Cluster, Context, Credential, User},
};

use super::{Disagreement, Outcome, differs, renamed};

const STATES: &[(&str, &[u8])] = &[
    ("S0", include_bytes!("../../../../tests/vectors/kubectl/states/S0.json.gz")),
    ("S1", include_bytes!("../../../../tests/vectors/kubectl/states/S1.json.gz")),
    ("S2", include_bytes!("../../../../tests/vectors/kubectl/states/S2.json.gz")),
    ("kind:myk8s", include_bytes!("../../../../tests/vectors/kubectl/states/kind.json.gz")),
];

/// The only cluster of a state.
const HERE: ClusterId = ClusterId(1);
/// Longest wait after a step of a sequence.
const SETTLE: SimDuration = SimDuration::secs(120);

thread_local! {
    static BUILT: RefCell<BTreeMap<(String, Beside), (World, Machine)>> = const { RefCell::new(BTreeMap::new()) };
}

/// Runs one case.
pub(super) fn run(case: &Value) -> Vec<Outcome> {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let id = text(case, "id");
    let disagree =
        |at: String, wanted: String, got: String| vec![Err(Disagreement { id: id.clone(), at, wanted, got })];
    let beside = Beside { observed: id.starts_with("lt-"), upstream: case["server"] == "upstream" };
    let Some((mut world, mut machine)) = state(&text(case, "state"), beside) else {
        return disagree("state".to_owned(), text(case, "state"), "no such state".to_owned());
    };
    for (name, content) in case["files"].as_object().into_iter().flatten() {
        let path = machine.path(name);
        if machine.files.write(&path, content.as_str().unwrap_or_default()).is_err() {
            return disagree("files".to_owned(), name.clone(), String::new());
        }
    }
    let single = case["steps"].is_null();
    if single {
        world.freeze();
    }
    let steps =
        if single { vec![case.clone()] } else { case["steps"].as_array().cloned().unwrap_or_default() };
    let mut names = renamed::Names::default();
    // What differs on purpose on the way.
    let mut known = None;
    for (i, step) in steps.iter().enumerate() {
        let mut out = Output::default();
        let exit = shell::run(&text(step, "cmd"), &mut machine, &mut world, &mut out);
        if !single {
            world.settle(SETTLE);
        }
        for (field, got) in [("stdout", out.stdout()), ("stderr", out.stderr())] {
            let wanted = text(step, field);
            // Rows sorted by a drawn name stand in another order.
            let same = if single { wanted == got } else { names.agree_as_a_set(&wanted, &got) };
            if !same {
                let at = if single {
                    field.to_owned()
                } else {
                    format!("step {i} ({}) {field}", text(step, "cmd"))
                };
                if !single && differs::is_listed("kubectl", &id, i) {
                    known = known.or_else(|| Some(disagree(at, wanted, got)));
                    continue;
                }
                return disagree(at, wanted, got);
            }
        }
        if step["exit"].as_i64() != Some(i64::from(exit)) {
            return disagree(format!("step {i} exit"), step["exit"].to_string(), exit.to_string());
        }
    }
    known.unwrap_or_else(|| vec![Ok(())])
}

/// What a case has beside the objects of its state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Beside {
    /// Logs and figures of use.
    observed: bool,
    /// A server as it comes from upstream, not from a distributor.
    upstream: bool,
}

/// A fresh copy of a recorded state, with a machine that knows it.
fn state(name: &str, beside: Beside) -> Option<(World, Machine)> {
    let key = (name.to_owned(), beside);
    if let Some(built) = BUILT.with_borrow(|built| built.get(&key).cloned()) {
        return Some(built);
    }
    let built = build(name, beside)?;
    BUILT.with_borrow_mut(|all| all.insert(key, built.clone()));
    Some(built)
}

/// What the recorder set every moment of its states to, before `now`.
const SET_BACK: i64 = 25 * 60 + 6;

/// The leases of the recorded nodes: the states leave them out, `describe node` shows them.
fn leases(world: &mut World, state: &Value) -> Option<()> {
    let now: jiff::Timestamp = state["now"].as_str()?.parse().ok()?;
    let renewed = now - jiff::SignedDuration::from_secs(SET_BACK);
    for node in state["objects"].as_array()?.iter().filter(|o| o["kind"] == "Node") {
        let name = &node["metadata"]["name"];
        let lease = serde_json::json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": name, "namespace": "kube-node-lease", "uid": format!("lease-{name}"),
                "creationTimestamp": renewed.to_string()},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": format!("{renewed:.6}")}});
        world.restore(HERE, Object::from_value(Kind::Lease, lease).ok()?);
    }
    Some(())
}

/// The machine under a recorded node. Its kubelet was played: a pod went from Pending to Running, and its address was the next from
/// 21 of the node's subnet, whatever the pods of the state had.
fn machine_of(world: &mut World, node: &Value) -> Option<()> {
    let addresses = node["status"]["addresses"].as_array()?;
    let own = addresses.iter().find(|it| it["type"] == "InternalIP")?["address"].as_str()?;
    let [a, b, c, _] = own.parse::<Ipv4Addr>().ok()?.octets();
    let machine = NodeMachine {
        metadata: ObjectMeta {
            name: node["metadata"]["name"].as_str().map(str::to_owned),
            ..ObjectMeta::default()
        },
        kubelet_running: true,
        network_ready: true,
        played: true,
        played_at_once: true,
        pod_cidr: ipnet::Ipv4Net::new(Ipv4Addr::new(a, b, c, 19), 24).ok(),
        ..NodeMachine::default()
    };
    world.restore(HERE, machine.into_object());
    Some(())
}

/// The pods of a state ran already where they did.
fn sandbox_of(world: &mut World, pod: &Value) -> Option<()> {
    if pod["status"]["phase"] != "Running" {
        return Some(());
    }
    let containers = pod["spec"]["containers"].as_array()?.iter().map(|container| ContainerWork {
        name: container["name"].as_str().unwrap_or_default().to_owned(),
        step: ContainerStep::Running,
        ..ContainerWork::default()
    });
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let sandbox = Sandbox {
        metadata: ObjectMeta {
            name: text(&pod["metadata"]["name"]),
            namespace: text(&pod["metadata"]["namespace"]),
            ..ObjectMeta::default()
        },
        pod_uid: text(&pod["metadata"]["uid"]).unwrap_or_default(),
        node: text(&pod["spec"]["nodeName"]).unwrap_or_default(),
        step: SandboxStep::Ready,
        containers: containers.collect(),
        initialized: true,
        ..Sandbox::default()
    };
    world.restore(HERE, sandbox.into_object());
    Some(())
}

/// A distributor's server lets everybody read some more paths.
fn distributors_role(world: &mut World, began: &Value) -> Option<()> {
    let more = "system:openshift:public-info-viewer";
    let everybody = ["system:authenticated", "system:unauthenticated"].map(
        |group| serde_json::json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}),
    );
    let role = serde_json::json!({"metadata": {"name": more, "creationTimestamp": began},
        "rules": [{"verbs": ["get"], "nonResourceURLs": ["/.well-known", "/.well-known/*"]}]});
    let binding = serde_json::json!({"metadata": {"name": more, "creationTimestamp": began}, "subjects": everybody,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": more}});
    for (kind, value) in [(Kind::ClusterRole, role), (Kind::ClusterRoleBinding, binding)] {
        world.restore(HERE, Object::from_value(kind, value).ok()?);
    }
    Some(())
}

/// When a namespace of the state was made.
fn object_time(state: &Value, namespace: &str) -> Value {
    let mut objects = state["objects"].as_array().into_iter().flatten();
    let found = objects.find(|o| o["kind"] == "Namespace" && o["metadata"]["name"] == namespace);
    found.map_or(Value::Null, |o| o["metadata"]["creationTimestamp"].clone())
}

fn build(name: &str, beside: Beside) -> Option<(World, Machine)> {
    let (_, packed) = STATES.iter().find(|(known, _)| *known == name)?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(*packed).read_to_string(&mut text).ok()?;
    let mut state: Value = serde_json::from_str(&text).ok()?;
    let mut world = World::empty(1);
    world.set_epoch(state["now"].as_str()?.parse().ok()?);
    let plane = ControlPlane {
        metadata: ObjectMeta { name: Some("podpath".to_owned()), ..ObjectMeta::default() },
        id: HERE.0,
        provider: Provider::Eks,
        version: "v1.32.13".to_owned(),
        service_cidr: "172.20.0.0/16".parse().ok()?,
        pod_cidr: None,
    };
    world.restore(ClusterId::WORLD, plane.into_object());
    if beside.observed {
        observed::prepare(&mut world, &mut state)?;
    }
    for object in state["objects"].as_array()? {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        let kind = Kind::of_manifest(version, object["kind"].as_str().unwrap_or_default())?;
        world.restore(HERE, Object::from_value(kind, object.clone()).ok()?);
    }
    for object in state["objects"].as_array()? {
        match object["kind"].as_str()? {
            "Node" => machine_of(&mut world, object)?,
            "Pod" => sandbox_of(&mut world, object)?,
            _ => {}
        }
    }
    leases(&mut world, &state)?;
    // The states leave out what every cluster begins with.
    let began = object_time(&state, "kube-system");
    for (kind, mut value) in cluster::apiserver::defaults() {
        value["metadata"]["creationTimestamp"] = began.clone();
        for condition in value["status"]["conditions"].as_array_mut().into_iter().flatten() {
            condition["lastTransitionTime"] = began.clone();
        }
        let object = Object::from_value(kind, value).ok()?;
        let key = cluster::Key::new(ClusterId(1), kind, object.namespace(), object.name());
        if world.store().object(&key).is_none() {
            world.restore(ClusterId(1), object);
        }
    }
    if !beside.upstream {
        distributors_role(&mut world, &began)?;
    }
    let missing = Image {
        metadata: ObjectMeta { name: Some("nginx:doesnotexist".to_owned()), ..ObjectMeta::default() },
        missing: true,
        ..Image::default()
    };
    world.restore(ClusterId::WORLD, missing.into_object());
    let mut machine = Machine::default();
    let context = state["context"].as_str()?.to_owned();
    let server = state["server"].as_str()?.to_owned();
    let cluster = Cluster {
        name: context.clone(),
        server,
        control_plane: "podpath".to_owned(),
        insecure: false,
        other: BTreeMap::new(),
    };
    for (name, user, groups) in [
        ("dev", "dev", &["system:authenticated"][..]),
        (context.as_str(), "admin", &["system:masters", "system:authenticated"]),
    ] {
        machine.kubeconfig.add(
            Context {
                name: name.to_owned(),
                cluster: context.clone(),
                user: name.to_owned(),
                namespace: String::new(),
            },
            cluster.clone(),
            User {
                name: name.to_owned(),
                identity: user.to_owned(),
                groups: groups.iter().map(|group| (*group).to_owned()).collect(),
                credential: Credential::Token(user.to_owned()),
                uid: format!("{user}-uid"),
            },
        );
    }
    Some((world, machine))
}
