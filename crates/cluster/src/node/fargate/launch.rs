//! How does a pod that a profile took get a machine of its own?
//!
//! `fargate-scheduler` looks at it once: what Fargate does not run is said and left. For the others it asks for a
//! micro-VM with an ENI in one of the profile's subnets; the VM boots, registers a node of its pod's address, and the pod
//! is bound to it. When the pod is gone, so are VM, node and ENI.
//!
//! MODEL: a pod whose profile has gone stays as it is; one that has ended keeps its machine until it is deleted.
//! Source: EKS user guide (Fargate); nodes and events as people have recorded them (aws/containers-roadmap#1976, #1248, #2654;
//! aws-samples/eks-workshop-v2); the conditions' reasons: aws/eks-distro-prow-jobs#11.

use api::{
    ApiStatus, Kind, Resource, SimDuration,
    k8s::core::v1::{ConfigMap, Namespace, Node, Pod, PodCondition},
    kinds::{
        aws::EniOwner,
        cni::PoolMode,
        eks::{EksCluster, FargateProfile},
        sim::{Machine, MicroVm, Sandbox},
    },
    meta::ObjectMeta,
};
use serde_json::json;

use super::{
    COMPUTE_TYPE, DISK_GIB, LARGEST_DISK_GIB, PROFILE_LABEL, SCHEDULER, Size, disk_gib, sizing, storage,
    unsupported,
};
use crate::{
    AwsError, Change, ClusterId, Controller, EventType, Key, Next, Store, Turn,
    cloud::{
        eni::{self, NewEni},
        subnet,
    },
    node::{
        join::{self, private_dns_name, region_of},
        report,
    },
    parts::Process,
    provision::fargate_profile_in,
    timing, vpc_resource,
};

/// A micro-VM that found no address is asked for again after so long.
const RETRY: SimDuration = SimDuration::secs(30);

/// Why a pod that no micro-VM can hold stays without a node.
const TOO_LARGE: (&str, &str) = (
    "POD_CPU_MEM_EXCEEDS_MAX_FARGATE_SIZE",
    "Your pod's cpu/memory requirements exceed the max Fargate configuration",
);
/// The reason of the condition of a pod that Fargate does not run.
const UNSUPPORTED: &str = "POD_UNSUPPORTED_ON_FARGATE";

/// Gives pods that a Fargate profile took their micro-VMs.
pub struct FargateScheduler;

impl Controller for FargateScheduler {
    fn name(&self) -> &'static str {
        SCHEDULER
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let object = change.after.as_deref().or(change.before.as_deref());
        match change.key.kind {
            Kind::Pod if change.before.is_none() || change.after.is_none() => {
                let spec = object.and_then(Pod::of).and_then(|pod| pod.spec.as_ref());
                if spec.is_some_and(|it| it.scheduler_name.as_deref() == Some(SCHEDULER)) {
                    wake(change.key.clone());
                }
            }
            Kind::Node => {
                let machine = store.get::<Machine>(change.key.cluster, "", &change.key.name);
                if let Some(vm) = machine.and_then(|it| it.micro_vm.as_ref()) {
                    wake(Key::new(change.key.cluster, Kind::Pod, &vm.namespace, &vm.pod));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let pod = turn.get::<Pod>(&key.namespace, &key.name).cloned();
        let uid = pod.as_ref().and_then(|pod| pod.metadata.uid.clone()).unwrap_or_default();
        let of_pod = |vm: &MicroVm| *vm.namespace == *key.namespace && *vm.pod == *key.name;
        let machines: Vec<Machine> = turn
            .list::<Machine>(None)
            .filter(|it| it.micro_vm.as_ref().is_some_and(of_pod))
            .cloned()
            .collect();
        let is_own = |it: &Machine| it.micro_vm.as_ref().is_some_and(|vm| vm.pod_uid == uid);
        let (own, left): (Vec<Machine>, Vec<Machine>) = machines.into_iter().partition(is_own);
        let mut next = Next::Done;
        for machine in left {
            next = sooner(next, end(turn, machine));
        }
        let waits = |pod: &Pod| {
            let spec = pod.spec.as_ref();
            pod.metadata.deletion_timestamp.is_none()
                && spec.is_some_and(|it| {
                    it.node_name.is_none() && it.scheduler_name.as_deref() == Some(SCHEDULER)
                })
        };
        Ok(match (pod.filter(waits), own.into_iter().next()) {
            (Some(pod), Some(machine)) => sooner(next, boot(turn, &pod, machine)?),
            (Some(pod), None) if !is_refused(&pod) => sooner(next, admit(turn, &pod)?),
            _ => next,
        })
    }
}

fn sooner(a: Next, b: Next) -> Next {
    match (a, b) {
        (Next::After(a), Next::After(b)) => Next::After(a.min(b)),
        (Next::After(wait), _) | (_, Next::After(wait)) => Next::After(wait),
        (Next::Every(wait), _) | (_, Next::Every(wait)) => Next::Every(wait),
        (Next::Done, Next::Done) => Next::Done,
    }
}

/// Whether it has been looked at, and will not be again.
fn is_refused(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|it| it.conditions.iter().flatten());
    conditions.into_iter().any(
        |it| matches!(it.reason.as_deref(), Some(reason) if reason == TOO_LARGE.0 || reason == UNSUPPORTED),
    )
}

/// Refuses a pod, or asks for its micro-VM.
fn admit(turn: &mut Turn<'_>, pod: &Pod) -> Result<Next, ApiStatus> {
    let labels = pod.metadata.labels.as_ref();
    let named = labels.and_then(|it| it.get(PROFILE_LABEL)).cloned().unwrap_or_default();
    let profile = fargate_profile_in(turn.store(), turn.cluster(), &named).cloned();
    let Some(profile) = profile.filter(|it| it.status == "ACTIVE") else { return Ok(Next::Done) };
    let Some(spec) = pod.spec.as_ref() else { return Ok(Next::Done) };
    if let Some(why) = unsupported(turn.store(), turn.cluster(), pod) {
        return refuse(turn, pod, UNSUPPORTED, &why);
    }
    // MODEL: what Fargate says of too much storage is not recorded.
    let too_much = storage(spec) > LARGEST_DISK_GIB << 30;
    let Some(size) = sizing(spec).size.filter(|_| !too_much) else {
        return refuse(turn, pod, TOO_LARGE.0, TOO_LARGE.1);
    };
    let annotations = pod.metadata.annotations.as_ref();
    if annotations.is_none_or(|it| !it.contains_key("CapacityProvisioned")) {
        provision(turn, pod, size)?;
    }
    match launch(turn, pod, &profile, size) {
        Ok(()) => Ok(Next::After(timing::FARGATE_BOOT)),
        Err(error) => {
            // MODEL: what fargate-scheduler says of a full subnet is not recorded; these are EC2's own words.
            let message = format!("{}: {}", error.code, error.message);
            turn.event(&pod.clone().into_object(), EventType::Warning, "FailedScheduling", &message);
            Ok(Next::Every(RETRY))
        }
    }
}

fn names(pod: &Pod) -> (String, String) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (text(&pod.metadata.namespace), text(&pod.metadata.name))
}

fn refuse(turn: &mut Turn<'_>, pod: &Pod, reason: &str, message: &str) -> Result<Next, ApiStatus> {
    turn.event(&pod.clone().into_object(), EventType::Warning, "FailedScheduling", message);
    let (namespace, name) = names(pod);
    let stamp = turn.stamp();
    turn.patch_status::<Pod>(&namespace, &name, |pod| {
        let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
        conditions.retain(|it| it.type_ != "PodScheduled");
        conditions.push(PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "False".to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            last_transition_time: Some(stamp),
            ..PodCondition::default()
        });
    })?;
    Ok(Next::Done)
}

/// Writes on the pod what it gets, and whether its log goes anywhere.
fn provision(turn: &mut Turn<'_>, pod: &Pod, size: Size) -> Result<(), ApiStatus> {
    const NAMESPACE: &str = "aws-observability";
    let enabled = |it: &Namespace| {
        it.metadata.labels.as_ref().and_then(|it| it.get(NAMESPACE)).is_some_and(|it| it == "enabled")
    };
    let namespace = turn.get::<Namespace>("", NAMESPACE).is_some_and(enabled);
    let logs = namespace && turn.get::<ConfigMap>(NAMESPACE, "aws-logging").is_some();
    if !logs {
        let message = "Disabled logging because aws-logging configmap was not found. configmap \"aws-logging\" not found";
        turn.event(&pod.clone().into_object(), EventType::Warning, "LoggingDisabled", message);
    }
    let logging = if logs { "LoggingEnabled" } else { "LoggingDisabled: LOGGING_CONFIGMAP_NOT_FOUND" };
    let (namespace, name) = names(pod);
    turn.patch::<Pod>(&namespace, &name, |pod| {
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.insert("CapacityProvisioned".to_owned(), size.annotation());
        annotations.insert("Logging".to_owned(), logging.to_owned());
    })?;
    Ok(())
}

/// Takes an address in one of the profile's subnets, the one with the fewest micro-VMs first, and starts the machine.
fn launch(turn: &mut Turn<'_>, pod: &Pod, profile: &FargateProfile, size: Size) -> Result<(), AwsError> {
    let mut subnets = profile.subnets.clone();
    let vms = |name: &String| turn.store().enis_in(name).filter(|eni| eni.owner == EniOwner::Fargate).count();
    subnets.sort_by_cached_key(vms);
    let own = pod.metadata.annotations.as_ref().and_then(|all| all.get(vpc_resource::FARGATE_GROUPS));
    let cluster = turn.store().get::<EksCluster>(ClusterId::WORLD, "", &profile.cluster);
    let groups: Vec<String> = match own {
        Some(own) => own.split(',').map(str::to_owned).collect(),
        None => cluster.map(|it| it.cluster_security_group.clone()).into_iter().collect(),
    };
    let mut made = Err(crate::cloud::refuse("CreateNetworkInterface", "InvalidSubnetID.NotFound", ""));
    for name in &subnets {
        made = eni::create(
            turn,
            NewEni {
                operation: "CreateNetworkInterface",
                subnet: name,
                slots: 0,
                mode: PoolMode::SecondaryIp,
                owner: EniOwner::Fargate,
                security_groups: groups.clone(),
                address: None,
                description: String::new(),
            },
        );
        if made.is_ok() {
            break;
        }
    }
    let made = made?;
    let (namespace, name) = names(pod);
    let machine = Machine {
        metadata: ObjectMeta { name: Some(format!("fargate-{}", dns(turn, &made))), ..ObjectMeta::default() },
        micro_vm: Some(MicroVm {
            eni: made,
            profile: profile.metadata.name.clone().unwrap_or_default(),
            namespace,
            pod: name,
            pod_uid: pod.metadata.uid.clone().unwrap_or_default(),
            cpu_milli: size.cpu_milli,
            memory_mib: size.memory_mib,
            disk_gib: pod.spec.as_ref().map_or(DISK_GIB, |spec| disk_gib(storage(spec))),
            launched_at: turn.now(),
            ends_at: None,
        }),
        ..Machine::default()
    };
    turn.put(machine.into_object());
    Ok(())
}

fn zone_of(turn: &Turn<'_>, eni: &str) -> String {
    let eni = eni::get(turn.store(), eni);
    let subnet = eni.and_then(|it| subnet::get(turn.store(), &it.subnet));
    subnet.map(|it| it.availability_zone.clone()).unwrap_or_default()
}

/// EC2's private DNS name of an ENI's address.
fn dns(turn: &Turn<'_>, eni: &str) -> String {
    let address = eni::get(turn.store(), eni).map(|it| it.primary_ip);
    address.map(|ip| private_dns_name(ip, region_of(&zone_of(turn, eni)))).unwrap_or_default()
}

/// The next step of a machine that comes up.
fn boot(turn: &mut Turn<'_>, pod: &Pod, mut machine: Machine) -> Result<Next, ApiStatus> {
    let Some(vm) = machine.micro_vm.clone() else { return Ok(Next::Done) };
    let passed = turn.now().since(vm.launched_at);
    let ready_after = timing::FARGATE_BOOT + timing::FARGATE_READY;
    let wait = |all: SimDuration| Next::After(SimDuration(all.0 - passed.0));
    let name = machine.metadata.name.clone().unwrap_or_default();
    if passed < timing::FARGATE_BOOT {
        return Ok(wait(timing::FARGATE_BOOT));
    }
    let Some(node) = turn.get::<Node>("", &name) else {
        machine.kubelet_running = true;
        machine.started_at = turn.now();
        register(turn, &vm, machine)?;
        return Ok(wait(ready_after));
    };
    if report::is_ready(node) {
        let (namespace, pod_name) = names(pod);
        turn.bind(&namespace, &pod_name, &name)?;
        let message = format!("Successfully assigned {namespace}/{pod_name} to {name}");
        turn.event(&pod.clone().into_object(), EventType::Normal, "Scheduled", &message);
        return Ok(Next::Done);
    }
    if passed < ready_after {
        return Ok(wait(ready_after));
    }
    if !machine.network_ready {
        machine.network_ready = true;
        turn.put(machine.into_object());
    }
    Ok(Next::Done)
}

/// The node of a micro-VM, as it registers.
///
/// MODEL: it says more than its pod may use, as a real one does: two vCPU and 3.85 GiB for the smaller sizes; for the larger
/// ones the lab adds to the size what those have on top. Kernel and runtime are those of late 2025.
fn register(turn: &mut Turn<'_>, vm: &MicroVm, machine: Machine) -> Result<(), ApiStatus> {
    const DISK_KI: u64 = 30_832_548;
    let disk_ki = DISK_KI + vm.disk_gib.saturating_sub(DISK_GIB) * (1 << 20);
    let dns = dns(turn, &vm.eni);
    let zone = zone_of(turn, &vm.eni);
    let region = region_of(&zone);
    let own = eni::get(turn.store(), &vm.eni);
    let address = own.map(|it| eni::address(turn.store(), turn.cluster(), it));
    let cpu = vm.cpu_milli.div_ceil(1000).max(2);
    let memory_ki = ((vm.memory_mib + 512) * 1024).max(4_037_540);
    let name = machine.metadata.name.clone().unwrap_or_default();
    let id = crate::draw::uid(turn.world().seed(), &vm.pod_uid, 7);
    let resources = |memory: u64, disk: String| {
        json!({"cpu": cpu.to_string(), "ephemeral-storage": disk, "hugepages-1Gi": "0", "hugepages-2Mi": "0",
            "memory": format!("{memory}Ki"), "pods": "1"})
    };
    let node = json!({
        "metadata": {"name": name, "labels": {
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            COMPUTE_TYPE: "fargate",
            "failure-domain.beta.kubernetes.io/region": region,
            "failure-domain.beta.kubernetes.io/zone": zone,
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": dns,
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/region": region,
            "topology.kubernetes.io/zone": zone,
        }, "annotations": {
            "node.alpha.kubernetes.io/ttl": "0",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        }},
        "spec": {
            "providerID": format!("aws:///{zone}/{}/{name}", id.replace('-', "")),
            "taints": [{"key": COMPUTE_TYPE, "value": "fargate", "effect": "NoSchedule"}],
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": address},
                {"type": "InternalDNS", "address": dns},
                {"type": "Hostname", "address": dns},
            ],
            "allocatable": resources(memory_ki - 100 * 1024, (disk_ki * 1024 / 10 * 9).to_string()),
            "capacity": resources(memory_ki, format!("{disk_ki}Ki")),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": crate::draw::uid(turn.world().seed(), &vm.pod_uid, 8),
                "containerRuntimeVersion": "containerd://1.7.27",
                "kernelVersion": "5.10.245-241.976.amzn2.x86_64",
                "kubeProxyVersion": "",
                "kubeletVersion": join::kubelet_version(turn),
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "Amazon Linux 2",
                "systemUUID": id,
            },
        },
    });
    join::appear(turn, node, machine)
}

/// Ends the micro-VM of a pod that is gone: its node, what the machine knew, its ENI.
fn end(turn: &mut Turn<'_>, mut machine: Machine) -> Next {
    let (Some(vm), now) = (&mut machine.micro_vm, turn.now()) else { return Next::Done };
    let name = machine.metadata.name.clone().unwrap_or_default();
    let at = vm.ends_at.unwrap_or(now + timing::FARGATE_END);
    if now < at {
        if vm.ends_at.replace(at).is_none() {
            machine.kubelet_running = false;
            turn.put(machine.into_object());
        }
        return Next::After(at.since(now));
    }
    let eni = vm.eni.clone();
    let sandboxes: Vec<Key> = turn
        .store()
        .objects(turn.cluster(), Kind::Sandbox, None)
        .filter(|(_, object)| Sandbox::of(object).is_some_and(|sandbox| sandbox.node == name))
        .map(|(key, _)| key.clone())
        .collect();
    let lease = turn.key(Kind::Lease, "kube-node-lease", &name);
    let machine = turn.key(Kind::Machine, "", &name);
    for key in sandboxes.into_iter().chain([lease, machine]) {
        turn.remove(&key);
    }
    let node = turn.key(Kind::Node, "", &name);
    // One that somebody deleted by hand is gone already.
    let _ = turn.delete(&node, Some(0));
    eni::delete(turn, &eni);
    Next::Done
}
