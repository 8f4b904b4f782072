//! Whole lives of pods on a node of their own.
#![allow(clippy::unwrap_used, reason = "tests say what must hold")]

use api::{
    Kind, SimDuration,
    k8s::core::v1::{ContainerStatus, Event, Pod},
};
use serde_json::{Value, json};

use crate::{ApiRequest, ApiVerb, Budget, ClusterId, Principal, Propagation, Request, Scenario, World};

pub(crate) const HERE: ClusterId = ClusterId(1);

/// A node that offers what it is told, and whose pods pull as on EKS.
pub(crate) fn world() -> World {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a", "labels": {"disk": "ssd"}},
        "status": {"capacity": {"cpu": "2", "memory": "2Gi", "pods": "10", "ephemeral-storage": "20Gi"},
            "allocatable": {"cpu": "2", "memory": "2Gi", "pods": "10", "ephemeral-storage": "20Gi"}}});
    let file = "apiVersion: config.kwok.x-k8s.io/v1alpha1\nkind: KwokctlConfiguration\noptions: {kubeVersion: v1.34.1}\n";
    let file = ("cluster.yaml".to_owned(), format!("{file}---\n{node}"));
    let mut world = World::new(&Scenario::read(&[file]).unwrap(), 1).unwrap();
    world.settle(SimDuration::secs(60));
    world
}

pub(crate) fn ask(world: &mut World, kind: Kind, name: &str, verb: ApiVerb) {
    let request = ApiRequest::new(HERE, verb, kind, "default", name);
    world.request(&Principal::admin(), Request::Api(request)).map_err(|why| why.to_string()).unwrap();
}

pub(crate) fn run(world: &mut World, spec: Value) {
    let mut spec = spec;
    for (i, container) in spec["containers"].as_array_mut().into_iter().flatten().enumerate() {
        if container["name"].is_null() {
            container["name"] = if i == 0 { "c".into() } else { format!("c{i}").into() };
        }
    }
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": spec});
    ask(world, Kind::Pod, "", ApiVerb::Create(pod));
    world.settle(SimDuration::secs(20));
}

pub(crate) fn wait(world: &mut World, seconds: u64) {
    let until = world.now() + SimDuration::secs(seconds);
    world.run_until(until, Budget::COMMAND);
}

pub(crate) fn delete(world: &mut World) {
    ask(world, Kind::Pod, "p", ApiVerb::Delete { grace: None, propagation: Propagation::Background });
}

pub(crate) fn pod(world: &World) -> &Pod {
    world.store().get::<Pod>(HERE, "default", "p").unwrap()
}

pub(crate) fn is_there(world: &World) -> bool {
    world.store().get::<Pod>(HERE, "default", "p").is_some()
}

pub(crate) fn phase(world: &World) -> &str {
    pod(world).status.as_ref().unwrap().phase.as_deref().unwrap()
}

pub(crate) fn status<'w>(world: &'w World, name: &str) -> &'w ContainerStatus {
    let status = pod(world).status.as_ref().unwrap();
    let all =
        status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    all.into_iter().find(|status| status.name == name).unwrap()
}

/// `Waiting CrashLoopBackOff`, `Running`, `Terminated Error 1`.
pub(crate) fn state(world: &World, name: &str) -> String {
    let state = status(world, name).state.clone().unwrap();
    if let Some(it) = state.waiting {
        return format!("Waiting {}", it.reason.unwrap_or_default());
    }
    match state.terminated {
        Some(it) => format!("Terminated {} {}", it.reason.unwrap_or_default(), it.exit_code),
        None => "Running".to_owned(),
    }
}

pub(crate) fn message(world: &World, name: &str) -> String {
    status(world, name).state.clone().unwrap().waiting.unwrap().message.unwrap_or_default()
}

/// What the kubelet said about the pod: `reason: message`, in order, with how often if more than once.
pub(crate) fn said(world: &World) -> Vec<String> {
    let uid = pod(world).metadata.uid.clone().unwrap();
    let mut all: Vec<&Event> = world
        .store()
        .list::<Event>(HERE, Some("default"))
        .filter(|it| it.source.as_ref().and_then(|source| source.component.as_deref()) == Some("kubelet"))
        .collect();
    all.sort_by_key(|it| (it.first_timestamp.as_ref().map(|at| at.0), it.metadata.resource_version.clone()));
    all.iter()
        .map(|it| {
            let count = it.count.filter(|count| *count > 1).map(|count| format!(" (x{count})"));
            let text = it.message.clone().unwrap_or_default().replace(&uid, "UID");
            format!("{}: {text}{}", it.reason.clone().unwrap_or_default(), count.unwrap_or_default())
        })
        .collect()
}

pub(crate) fn has_said(world: &World, text: &str) -> bool {
    said(world).iter().any(|it| it.starts_with(text))
}

pub(crate) fn sh(script: &str) -> Value {
    json!({"image": "busybox:1.36", "command": ["sh", "-c", script]})
}

/// Expected: `kuberuntime_manager.go` (`doBackOff`), `backoff.go`: at once, then after 10, 20 and 40 s, at the next look of 10 to 15 s.
#[test]
fn a_container_that_ends_is_started_again_ever_later() {
    let mut world = world();
    run(&mut world, json!({"containers": [sh("exit 3")]}));
    assert_eq!((state(&world, "c"), phase(&world)), ("Waiting CrashLoopBackOff".to_owned(), "Running"));
    let uid = pod(&world).metadata.uid.clone().unwrap();
    assert_eq!(
        message(&world, "c"),
        format!("back-off 10s restarting failed container=c pod=p_default({uid})")
    );
    assert!(has_said(&world, "BackOff: Back-off restarting failed container c in pod p_default(UID)"));
    let last = status(&world, "c").last_state.clone().unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (3, Some("Error")));
    let mut counts = vec![status(&world, "c").restart_count];
    for seconds in [16, 30, 50] {
        wait(&mut world, seconds);
        counts.push(status(&world, "c").restart_count);
    }
    assert_eq!(counts, [1, 2, 3, 4]);
    assert!(message(&world, "c").starts_with("back-off 1m20s"));
}

/// The example of the Kubernetes documents; the probe's third failure in a row counts.
#[test]
fn a_container_that_fails_its_liveness_probe_is_killed_and_started_again() {
    let mut world = world();
    let script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600";
    run(
        &mut world,
        json!({"terminationGracePeriodSeconds": 5, "containers": [{"image": "busybox:1.36",
        "args": ["/bin/sh", "-c", script], "livenessProbe": {"initialDelaySeconds": 5, "periodSeconds": 5,
            "exec": {"command": ["cat", "/tmp/healthy"]}}}]}),
    );
    wait(&mut world, 20);
    assert!(!has_said(&world, "Unhealthy"));
    wait(&mut world, 35);
    let unhealthy =
        "Unhealthy: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n (x3)";
    assert!(has_said(&world, unhealthy), "{:?}", said(&world));
    assert!(has_said(&world, "Killing: Container c failed liveness probe, will be restarted"));
    assert_eq!((state(&world, "c"), status(&world, "c").restart_count), ("Running".to_owned(), 1));
    let last = status(&world, "c").last_state.clone().unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (137, Some("Error")));
}

/// Expected: `image_manager.go`; a second wait is 20 s.
#[test]
fn an_image_that_is_not_there_is_tried_again_ever_later() {
    let mut world = world();
    run(&mut world, json!({"containers": [{"image": "nginx:1.99"}]}));
    wait(&mut world, 2);
    let full = "docker.io/library/nginx:1.99";
    let why = format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{full}\": failed to resolve reference \
         \"{full}\": {full}: not found"
    );
    assert_eq!(state(&world, "c"), "Waiting ImagePullBackOff");
    assert_eq!(message(&world, "c"), format!("Back-off pulling image \"nginx:1.99\": ErrImagePull: {why}"));
    assert_eq!(
        said(&world),
        [
            "Pulling: Pulling image \"nginx:1.99\"".to_owned(),
            format!("Failed: Failed to pull image \"nginx:1.99\": {why}"),
            "Failed: Error: ErrImagePull".to_owned(),
            "BackOff: Back-off pulling image \"nginx:1.99\"".to_owned(),
            "Failed: Error: ImagePullBackOff".to_owned(),
        ]
    );
    wait(&mut world, 60);
    assert!(has_said(&world, "Pulling: Pulling image \"nginx:1.99\" (x3)"), "{:?}", said(&world));
}

#[test]
fn an_image_that_may_not_be_pulled_or_has_no_name_is_said_so() {
    let mut world = world();
    run(
        &mut world,
        json!({"containers": [{"image": "nginx", "imagePullPolicy": "Never"}, {"image": "NGINX"}]}),
    );
    let never = "Container image \"nginx\" is not present with pull policy of Never";
    assert_eq!(
        (state(&world, "c"), message(&world, "c")),
        ("Waiting ErrImageNeverPull".to_owned(), never.to_owned())
    );
    assert_eq!(state(&world, "c1"), "Waiting InvalidImageName");
    assert!(
        has_said(&world, "Failed: Error: InvalidImageName")
            && has_said(&world, "Failed: Error: ErrImageNeverPull")
    );
    assert!(has_said(
        &world,
        "InspectFailed: Failed to apply default image tag \"NGINX\": couldn't parse image name"
    ));
}

#[test]
fn sidecars_come_first_and_go_last_and_do_not_keep_a_pod_alive() {
    let mut world = world();
    let beside = |name: &str| {
        json!({"name": name, "image": "nginx", "restartPolicy": "Always",
            "lifecycle": {"preStop": {"exec": {"command": ["sleep", "1"]}}}})
    };
    run(
        &mut world,
        json!({"restartPolicy": "Never", "initContainers": [beside("one"), beside("two")],
        "containers": [sh("sleep 100")]}),
    );
    let started: Vec<String> = said(&world).into_iter().filter(|it| it.starts_with("Started")).collect();
    assert_eq!(
        started,
        ["Started: Started container one", "Started: Started container two", "Started: Started container c"]
    );
    assert_eq!(phase(&world), "Running");
    wait(&mut world, 110);
    assert_eq!((phase(&world), state(&world, "c")), ("Succeeded", "Terminated Completed 0".to_owned()));
    assert!(
        has_said(&world, "Killing: Stopping container one")
            && has_said(&world, "Killing: Stopping container two")
    );
    let end =
        |name: &str| status(&world, name).state.clone().unwrap().terminated.unwrap().finished_at.unwrap().0;
    assert!(end("one") >= end("two"));
}

#[test]
fn the_next_init_container_waits_for_the_startup_of_a_sidecar() {
    let mut world = world();
    run(
        &mut world,
        json!({"initContainers": [{"name": "s", "image": "nginx", "restartPolicy": "Always",
            "startupProbe": {"periodSeconds": 1, "failureThreshold": 2, "httpGet": {"path": "/ready", "port": 80}}},
        {"name": "i", "image": "busybox", "command": ["true"]}], "containers": [{"image": "nginx"}]}),
    );
    wait(&mut world, 10);
    assert_eq!((phase(&world), state(&world, "i")), ("Pending", "Waiting PodInitializing".to_owned()));
    assert!(has_said(&world, "Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 404"));
    assert!(has_said(&world, "Killing: Init container s failed startup probe"));
    let initialized = pod(&world).status.clone().unwrap().conditions.unwrap();
    let initialized = initialized.into_iter().find(|it| it.type_ == "Initialized").unwrap();
    assert_eq!(initialized.message.as_deref(), Some("containers with incomplete status: [s i]"));
}

#[test]
fn an_init_container_that_fails_fails_its_pod_or_is_tried_again() {
    for (policy, want, shown) in
        [("Never", "Failed", "Terminated Error 1"), ("Always", "Pending", "Waiting CrashLoopBackOff")]
    {
        let mut world = world();
        let mut init = sh("exit 1");
        init["name"] = "i".into();
        run(
            &mut world,
            json!({"restartPolicy": policy, "initContainers": [init], "containers": [{"image": "nginx"}]}),
        );
        assert_eq!((phase(&world), state(&world, "i").as_str()), (want, shown));
        assert_eq!(state(&world, "c"), "Waiting PodInitializing");
    }
}

/// Expected: `kuberuntime_container.go`, `lifecycle/handlers.go`.
#[test]
fn a_hook_that_fails_ends_its_container() {
    let mut world = world();
    run(
        &mut world,
        json!({"containers": [{"image": "nginx",
        "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "exit 1"]}}}}]}),
    );
    assert!(
        has_said(&world, "FailedPostStartHook: PostStartHook failed")
            && has_said(&world, "Killing: FailedPostStartHook")
    );
    assert_eq!(state(&world, "c"), "Waiting CrashLoopBackOff");
}

#[test]
fn a_pre_stop_hook_takes_its_part_of_the_grace_period() {
    let mut world = world();
    run(
        &mut world,
        json!({"terminationGracePeriodSeconds": 20, "containers": [{"image": "busybox",
        "command": ["sleep", "3600"], "lifecycle": {"preStop": {"sleep": {"seconds": 8}}}}]}),
    );
    delete(&mut world);
    wait(&mut world, 19);
    assert!(is_there(&world) && has_said(&world, "Killing: Stopping container c"));
    wait(&mut world, 2);
    assert!(!is_there(&world));
}

/// Expected: `active_deadline.go`.
#[test]
fn a_pod_that_runs_longer_than_it_may_is_ended() {
    let mut world = world();
    run(&mut world, json!({"activeDeadlineSeconds": 60, "containers": [{"image": "nginx"}]}));
    wait(&mut world, 65);
    let status = pod(&world).status.clone().unwrap();
    assert_eq!(
        (status.phase.as_deref(), status.reason.as_deref()),
        (Some("Failed"), Some("DeadlineExceeded"))
    );
    assert_eq!(
        status.message.as_deref(),
        Some("Pod was active on the node longer than the specified deadline")
    );
    assert_eq!(state(&world, "c"), "Terminated Completed 0");
}

#[test]
fn a_process_that_wants_more_than_its_limit_is_killed() {
    let mut world = world();
    run(
        &mut world,
        json!({"restartPolicy": "Never", "containers": [{"image": "polinux/stress",
        "resources": {"limits": {"memory": "100Mi"}}, "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", "250M"]}]}),
    );
    assert_eq!((phase(&world), state(&world, "c")), ("Failed", "Terminated OOMKilled 137".to_owned()));
}

/// Expected: `security_context_others.go`; runc.
#[test]
fn a_container_that_cannot_be_created_or_run_says_why() {
    let mut world = world();
    run(
        &mut world,
        json!({"containers": [{"image": "nginx", "securityContext": {"runAsNonRoot": true}},
        {"image": "busybox", "command": ["sleep 3600"]}]}),
    );
    let uid = pod(&world).metadata.uid.clone().unwrap();
    assert_eq!(state(&world, "c"), "Waiting CreateContainerConfigError");
    let root = format!(
        "container has runAsNonRoot and image will run as root (pod: \"p_default({uid})\", container: c)"
    );
    assert_eq!(message(&world, "c"), root);
    assert!(has_said(
        &world,
        "Failed: Error: failed to create containerd task: failed to create shim task: OCI runtime"
    ));
    let last = status(&world, "c1").last_state.clone().unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (128, Some("StartError")));
}

/// Expected: `predicate.go`, `kubelet.go` (`rejectPod`).
#[test]
fn a_pod_that_came_past_the_scheduler_is_refused_where_it_does_not_fit() {
    for (spec, reason, message) in [
        (
            json!({"containers": [{"image": "nginx", "resources": {"requests": {"cpu": "3"}}}]}),
            "OutOfcpu",
            "Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000",
        ),
        (
            json!({"containers": [{"image": "nginx"}], "nodeSelector": {"disk": "hdd"}}),
            "NodeAffinity",
            "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
    ] {
        let mut world = world();
        let mut spec = spec;
        spec["nodeName"] = "a".into();
        run(&mut world, spec);
        let status = pod(&world).status.clone().unwrap();
        assert_eq!((status.phase.as_deref(), status.reason.as_deref()), (Some("Failed"), Some(reason)));
        assert_eq!(status.message, Some(format!("Pod was rejected: {message}")));
        assert_eq!((status.conditions, said(&world)), (None, vec![format!("{reason}: {message}")]));
    }
}

/// Expected: `GetHostPorts`: a sidecar's port is taken too.
#[test]
fn a_host_port_is_given_once() {
    let mut world = world();
    let serves = |name: &str| json!({"name": name, "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 80}]});
    let mut sidecar = serves("s");
    sidecar["restartPolicy"] = "Always".into();
    let other = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "default"},
        "spec": {"nodeName": "a", "initContainers": [sidecar], "containers": [{"name": "c", "image": "nginx"}]}});
    ask(&mut world, Kind::Pod, "", ApiVerb::Create(other));
    wait(&mut world, 20);
    run(&mut world, json!({"nodeName": "a", "containers": [serves("c")]}));
    let status = pod(&world).status.clone().unwrap();
    let why = "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
    assert_eq!((status.reason.as_deref(), status.message.as_deref()), (Some("NodePorts"), Some(why)));
}

/// Expected: `volume_manager.go` (`WaitForAttachAndMount`): after 2 min 3 s.
#[test]
fn a_pod_that_waited_in_vain_for_its_volumes_says_which() {
    let mut world = world();
    let volume = |name: &str| json!({"name": name, "configMap": {"name": name}});
    run(&mut world, json!({"volumes": [volume("two"), volume("one")], "containers": [{"image": "nginx"}]}));
    let waited = "FailedMount: Unable to attach or mount volumes: unmounted volumes=[one two], unattached volumes=[], failed \
                  to process volumes=[]: context deadline exceeded";
    wait(&mut world, 100);
    assert!(
        !has_said(&world, waited)
            && has_said(&world, "FailedMount: MountVolume.SetUp failed for volume \"one\"")
    );
    wait(&mut world, 30);
    assert!(has_said(&world, waited), "{:?}", said(&world));
}

fn ask_for_resize(world: &mut World, name: &str, resources: &Value) {
    let patch = json!({"spec": {"containers": [{"name": "c", "resources": resources}]}});
    let verb = ApiVerb::Patch(crate::PatchKind::Strategic, patch);
    let request = ApiRequest::new(HERE, verb, Kind::Pod, "default", name).of("resize");
    world.request(&Principal::admin(), Request::Api(request)).map_err(|why| why.to_string()).unwrap();
}

fn resize(world: &mut World, resources: &Value) {
    ask_for_resize(world, "p", resources);
    world.settle(SimDuration::secs(60));
}

/// A second pod, `q`, that asks for so much.
fn beside(world: &mut World, cpu: &str) {
    let other = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}]}});
    ask(world, Kind::Pod, "", ApiVerb::Create(other));
}

pub(crate) fn condition(world: &World, type_: &str) -> Option<(String, String)> {
    let all = pod(world).status.as_ref()?.conditions.as_ref()?;
    let found = all.iter().find(|it| it.type_ == type_)?;
    Some((found.reason.clone().unwrap_or_default(), found.message.clone().unwrap_or_default()))
}

/// Expected: `allocation_manager.go`.
#[test]
fn resources_change_in_place_or_are_put_off_or_cannot_be_had() {
    let mut world = world();
    let cpu = |amount: &str| json!({"requests": {"cpu": amount}});
    run(&mut world, json!({"containers": [{"image": "nginx", "resources": cpu("500m")}]}));
    resize(&mut world, &cpu("1"));
    let has =
        |world: &World| status(world, "c").resources.clone().unwrap().requests.unwrap()["cpu"].0.clone();
    assert_eq!((has(&world).as_str(), status(&world, "c").restart_count), ("1", 0));
    let done = "ResizeCompleted: Pod resize completed: {\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}";
    assert!(has_said(&world, done), "{:?}", said(&world));
    beside(&mut world, "800m");
    world.settle(SimDuration::secs(60));
    resize(&mut world, &cpu("1500m"));
    let later = "Node didn't have enough resource: cpu, requested: 1500, used: 800, capacity: 2000";
    assert_eq!(condition(&world, "PodResizePending"), Some(("Deferred".to_owned(), later.to_owned())));
    resize(&mut world, &cpu("3"));
    let never = "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000";
    assert_eq!(condition(&world, "PodResizePending"), Some(("Infeasible".to_owned(), never.to_owned())));
    assert_eq!(has(&world), "1");
}

/// Expected: `kubelet.go` (`HandlePodRemoves`, `HandlePodReconcile`).
#[test]
fn a_resize_that_was_put_off_is_tried_when_others_go_or_shrink() {
    let cpu = |amount: &str| json!({"requests": {"cpu": amount}});
    for shrinks in [true, false] {
        let mut world = world();
        run(&mut world, json!({"containers": [{"image": "nginx", "resources": cpu("500m")}]}));
        beside(&mut world, "1500m");
        world.settle(SimDuration::secs(60));
        resize(&mut world, &cpu("1"));
        assert_eq!(condition(&world, "PodResizePending").unwrap().0, "Deferred");
        if shrinks {
            ask_for_resize(&mut world, "q", &cpu("1"));
        } else {
            let gone = ApiVerb::Delete { grace: Some(0), propagation: Propagation::Background };
            ask(&mut world, Kind::Pod, "q", gone);
        }
        wait(&mut world, 5);
        let has = status(&world, "c").resources.clone().unwrap().requests.unwrap()["cpu"].0.clone();
        assert_eq!((condition(&world, "PodResizePending"), has.as_str()), (None, "1"), "{shrinks}");
    }
}

/// Expected: `UpdatePodFromAllocation`, `extractPodScaleDown`.
#[test]
fn what_cannot_be_had_is_kept_from_nobody() {
    let cpu = |amount: &str| json!({"requests": {"cpu": amount}});
    let mut world = world();
    run(&mut world, json!({"containers": [{"image": "nginx", "resources": cpu("500m")}]}));
    ask_for_resize(&mut world, "p", &cpu("3"));
    beside(&mut world, "1500m");
    wait(&mut world, 15);
    assert_eq!(condition(&world, "PodResizePending").unwrap().0, "Infeasible");
    let other = world.store().get::<Pod>(HERE, "default", "q").unwrap();
    assert_eq!(other.status.as_ref().unwrap().phase.as_deref(), Some("Running"));
}

fn debug(world: &mut World, container: &Value) {
    let patch = json!({"spec": {"ephemeralContainers": [container]}});
    let verb = ApiVerb::Patch(crate::PatchKind::Strategic, patch);
    let request = ApiRequest::new(HERE, verb, Kind::Pod, "default", "p").of("ephemeralcontainers");
    world.request(&Principal::admin(), Request::Api(request)).map_err(|why| why.to_string()).unwrap();
    world.settle(SimDuration::secs(20));
}

/// Expected: `kuberuntime_manager.go` (`SyncPod`, step 5), `container/ref.go`; what `kubectl debug` writes.
#[test]
fn a_container_is_put_into_a_pod_that_runs_and_started_once() {
    let mut world = world();
    run(&mut world, json!({"containers": [{"image": "nginx"}]}));
    debug(
        &mut world,
        &json!({"name": "look", "image": "busybox:1.36", "stdin": true, "tty": true, "targetContainerName": "c"}),
    );
    let all = pod(&world).status.clone().unwrap().ephemeral_container_statuses.unwrap();
    assert!(all[0].state.as_ref().unwrap().running.is_some());
    assert_eq!((all[0].ready, all[0].started, all[0].restart_count), (false, None, 0));
    assert_eq!(condition(&world, "Ready").unwrap().0, "");
    for said in [
        "Pulling: Pulling image \"busybox:1.36\"",
        "Created: Created container: look",
        "Started: Started container look",
    ] {
        assert!(has_said(&world, said), "{:?}", self::said(&world));
    }
    let about = world.store().list::<Event>(HERE, Some("default"));
    let paths = about.filter(|it| it.message.as_deref() == Some("Started container look"));
    let paths: Vec<_> = paths.map(|it| it.involved_object.field_path.clone().unwrap()).collect();
    assert_eq!(paths, ["spec.ephemeralContainers{look}"]);
    delete(&mut world);
    wait(&mut world, 1);
    assert!(has_said(&world, "Killing: Stopping container look"));
}

#[test]
fn a_container_that_was_put_into_a_pod_and_ended_stays_ended() {
    let mut world = world();
    run(&mut world, json!({"containers": [{"image": "nginx"}]}));
    debug(&mut world, &json!({"name": "look", "image": "busybox", "command": ["sh", "-c", "exit 3"]}));
    wait(&mut world, 60);
    let all = pod(&world).status.clone().unwrap().ephemeral_container_statuses.unwrap();
    let ended = all[0].state.clone().unwrap().terminated.unwrap();
    assert_eq!((ended.exit_code, ended.reason.as_deref(), all[0].restart_count), (3, Some("Error"), 0));
    assert_eq!(phase(&world), "Running");
}

/// Expected: `prober_manager.go` (`UpdatePodStatus`).
#[test]
fn a_sidecar_that_has_ended_is_not_ready() {
    let mut world = world();
    let mut sidecar = sh("sleep 5");
    (sidecar["name"], sidecar["restartPolicy"]) = ("s".into(), "Always".into());
    run(&mut world, json!({"initContainers": [sidecar], "containers": [{"image": "nginx"}]}));
    let mut waited = false;
    for _ in 0..30 {
        wait(&mut world, 1);
        let it = status(&world, "s");
        let runs = state(&world, "s") == "Running";
        waited |= !runs;
        assert_eq!((it.ready, it.started), (runs, Some(runs)));
        assert_eq!(condition(&world, "Ready").unwrap().0.is_empty(), runs);
    }
    assert!(waited);
}

#[test]
fn a_resize_starts_a_container_again_where_its_policy_says_so() {
    let mut world = world();
    run(
        &mut world,
        json!({"containers": [{"image": "nginx", "resources": {"requests": {"memory": "100Mi"}},
        "resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]}]}),
    );
    resize(&mut world, &json!({"requests": {"memory": "200Mi"}}));
    assert!(has_said(&world, "Killing: Container c resize requires restart"));
    assert_eq!((state(&world, "c").as_str(), status(&world, "c").restart_count), ("Running", 1));
}

/// Expected: `eviction/helpers.go`, `nodestatus/setters.go`.
#[test]
fn who_uses_more_than_it_asked_for_goes_first_when_memory_is_short() {
    let mut world = world();
    let stress = |bytes: &str| json!({"image": "polinux/stress", "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", bytes]});
    run(&mut world, json!({"containers": [stress("1600M")]}));
    wait(&mut world, 10);
    let status = pod(&world).status.clone().unwrap();
    let message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 0. Container c was using \
         1600Mi, request is 0, has larger consumption of memory. ";
    assert_eq!((status.phase.as_deref(), status.reason.as_deref()), (Some("Failed"), Some("Evicted")));
    assert_eq!(status.message.as_deref(), Some(message));
    let conditions = status.conditions.unwrap();
    let disrupted = conditions.iter().find(|it| it.type_ == "DisruptionTarget").unwrap();
    assert_eq!(disrupted.reason.as_deref(), Some("TerminationByKubelet"));
    let pressure = |world: &World| {
        let node = world.store().get::<api::k8s::core::v1::Node>(HERE, "", "a").unwrap();
        crate::node::report::condition(node, "MemoryPressure")
            .map(|it| (it.status.clone(), it.reason.clone()))
    };
    let short = Some(("True".to_owned(), Some("KubeletHasInsufficientMemory".to_owned())));
    assert_eq!(pressure(&world), short);
    wait(&mut world, 320);
    let enough = Some(("False".to_owned(), Some("KubeletHasSufficientMemory".to_owned())));
    assert_eq!(pressure(&world), enough);
}

/// Expected: `eviction_manager.go` (`localStorageEviction`).
#[test]
fn a_pod_that_writes_more_than_it_may_is_evicted() {
    let mut world = world();
    let mut writes = sh("dd if=/dev/zero of=/data/big bs=1M count=200; sleep 3600");
    writes["volumeMounts"] = json!([{"name": "d", "mountPath": "/data"}]);
    run(
        &mut world,
        json!({"containers": [writes], "volumes": [{"name": "d", "emptyDir": {"sizeLimit": "100Mi"}}]}),
    );
    wait(&mut world, 5);
    let status = pod(&world).status.clone().unwrap();
    assert_eq!(status.reason.as_deref(), Some("Evicted"));
    assert_eq!(
        status.message.as_deref(),
        Some("Usage of EmptyDir volume \"d\" exceeds the limit \"100Mi\". ")
    );
}

#[test]
fn readiness_follows_what_the_server_answers() {
    let mut world = world();
    run(
        &mut world,
        json!({"containers": [{"image": "nginx",
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 80}}}, {"image": "registry.k8s.io/pause:3.10"}]}),
    );
    let status = pod(&world).status.clone().unwrap();
    let ready = status.conditions.unwrap().into_iter().find(|it| it.type_ == "Ready").unwrap();
    assert_eq!(ready.message.as_deref(), Some("containers with unready status: [c]"));
    assert!(has_said(&world, "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404"));
}
