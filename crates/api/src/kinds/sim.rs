//! What only the lab knows.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use crate::{
    SimDuration, SimTime,
    k8s::core::v1::{Pod, Service},
    meta::ObjectMeta,
};

/// Who runs a control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Provider {
    /// Amazon EKS.
    Eks,
    /// kind: Kubernetes in containers on the laptop.
    Kind,
    /// kwok: a control plane on the laptop whose nodes are played.
    Kwok,
    /// Somebody's own, as it was when they looked: it stands still.
    Imported,
}

/// A Kubernetes control plane of this world. `metadata.name` is the cluster's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlane {
    /// The cluster's name.
    pub metadata: ObjectMeta,
    /// Which part of the store is its own.
    pub id: u16,
    /// Who runs it.
    pub provider: Provider,
    /// Such as `v1.34.2-eks-ecaa3a6`.
    pub version: String,
    /// Addresses of Services: their family is that of the cluster.
    pub service_cidr: IpNet,
    /// Addresses of pods where they are not the VPC's own (kind, kwok).
    pub pod_cidr: Option<Ipv4Net>,
}

/// What a part of a control plane does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PartRole {
    /// Answers requests: any one of several.
    #[default]
    ApiServer,
    /// Keeps the objects: more than half of its members must run.
    Etcd,
    /// Gives pods their nodes.
    Scheduler,
    /// Runs the controllers.
    ControllerManager,
}

/// A part of a control plane. `metadata.name` is what one calls it: `scheduler`, `etcd-a`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Part {
    /// Its name.
    pub metadata: ObjectMeta,
    /// What it does.
    pub role: PartRole,
    /// The zone it stands in, where it has one of its own.
    pub zone: Option<String>,
    /// Whether its process runs.
    pub running: bool,
    /// When it was last started or stopped.
    pub since: SimTime,
    /// How long it did not run, the last time.
    pub off_for: SimDuration,
    /// From when it does its work, after it was started: it has a lease to wait for, and clients find it again.
    pub acts_from: SimTime,
}

/// A Service as the kube-proxy of one node knew it last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownService {
    /// The Service.
    pub service: Service,
    /// Where its connections may end.
    pub endpoints: Vec<IpAddr>,
}

/// What a kube-proxy that does not run has left behind on its node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoppedProxy {
    /// When it was stopped.
    pub since: SimTime,
    /// The rules in the kernel, by namespace and name.
    pub services: Vec<KnownService>,
}

/// Somebody or something outside the cluster that can be one end of a path: a laptop, a bastion, an office.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// Its name.
    pub metadata: ObjectMeta,
    /// `internet` or `subnet/<name>`.
    pub at: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Whose credentials it holds.
    pub identity: Option<String>,
}

/// What a node's machine holds that no API server knows. `metadata.name` is the node's name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// The node's name.
    pub metadata: ObjectMeta,
    /// Name of the `aws/Instance` it is; a kind node has none.
    pub instance: Option<String>,
    /// Whether the kubelet runs.
    pub kubelet_running: bool,
    /// Whether a CNI configuration is in place: pods with a network of their own can start.
    pub network_ready: bool,
    /// Addresses that kindnet gives pods here, where the VPC does not: those of the network behind this one and the next.
    pub pod_cidr: Option<Ipv4Net>,
    /// When the kubelet started.
    pub started_at: SimTime,
    /// Images in the runtime's store, as pods name them.
    pub images: Vec<String>,
    /// When the node's status names them again, if they are not those that it names.
    #[serde(default)]
    pub images_told_at: Option<SimTime>,
    /// When the container runtime was stopped; `None` while it runs.
    #[serde(default)]
    pub runtime_stopped: Option<SimTime>,
    /// What kube-proxy left behind when it was stopped; `None` while it runs.
    #[serde(default)]
    pub proxy_stopped: Option<StoppedProxy>,
    /// When images are removed next, while the disk is fuller than it should be.
    #[serde(default)]
    pub image_collection: Option<SimTime>,
    /// Whether too few were found the last time.
    #[serde(default)]
    pub image_collection_failed: bool,
    /// What the node is short of, or was of late.
    #[serde(default)]
    pub pressures: Vec<Pressure>,
    /// The pod that it was made for, if it is a micro-VM of Fargate.
    #[serde(default)]
    pub micro_vm: Option<MicroVm>,
    /// Whether a recorder plays its kubelet, with less than a real one says and does: no liveness, no second restart.
    #[serde(default)]
    pub played: bool,
    /// Whether that recorder has every image there is, writes nothing of a pod before its containers run or cannot, and nothing
    /// of how they end when it is deleted.
    #[serde(default)]
    pub played_at_once: bool,
}

/// A micro-VM of Fargate: one pod, one ENI.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MicroVm {
    /// Name of its `aws/Eni`.
    pub eni: String,
    /// Name of the profile that took the pod.
    pub profile: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid.
    pub pod_uid: String,
    /// Thousandths of a vCPU that the pod may use, and that are paid for.
    pub cpu_milli: u64,
    /// MiB that the pod may use, and that are paid for.
    pub memory_mib: u64,
    /// GiB of its disk; what is beyond the first 20 is paid for.
    #[serde(default)]
    pub disk_gib: u64,
    /// When it was asked for.
    pub launched_at: SimTime,
    /// When it goes; none while its pod is there.
    pub ends_at: Option<SimTime>,
}

/// Something that a node is short of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pressure {
    /// The condition of the node that says so: `MemoryPressure`.
    pub condition: String,
    /// When it was last seen to be short of it.
    pub seen: SimTime,
}

/// How far one container of a pod is on its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContainerStep {
    /// Not begun: the sandbox or another container comes first.
    #[default]
    Waiting,
    /// Its image is being pulled.
    Pulling,
    /// Its image could not be had; it is tried again after a while.
    PullBackOff,
    /// It could not be created; it is tried again after a while.
    ConfigError,
    /// Being created and started.
    Starting,
    /// Its process runs, its postStart hook too.
    Hook,
    /// Its process runs.
    Running,
    /// Its process is being stopped.
    Stopping,
    /// Its process has ended; the kubelet has not noticed yet.
    Ended,
    /// Its process has ended for good.
    Exited,
    /// Its process has ended and is started again after a while.
    CrashBackOff,
}

/// What is remembered of failures in a row: client-go's `flowcontrol.Backoff` for one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackOff {
    /// How long the wait is.
    pub wait: SimDuration,
    /// When it was last made longer.
    pub since: SimTime,
}

/// What a probe of a container has found so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Probing {
    /// When it is run next; `None` if nothing would be found that is not known.
    pub at: Option<SimTime>,
    /// What counts: it has failed or succeeded as often as its thresholds say.
    pub result: Option<bool>,
    /// What it found the last time.
    pub last: Option<bool>,
    /// How often in a row.
    pub run: u32,
}

/// How a process that is being stopped will end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ending {
    /// Its exit code.
    pub exit_code: i32,
    /// Whether it is started again.
    pub restart: bool,
    /// What is said of its postStart hook, if that is why.
    pub hook: Option<String>,
}

/// One container of a pod on its node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerWork {
    /// Its name.
    pub name: String,
    /// Whether it is an init container.
    pub init: bool,
    /// Whether it was put into the pod while that ran, to look at it.
    pub ephemeral: bool,
    /// How far it is.
    pub step: ContainerStep,
    /// When this step began.
    pub since: SimTime,
    /// When this step is over; `None` if nothing ends it by itself.
    pub due: Option<SimTime>,
    /// The waits between pulls of its image.
    pub pull: Option<BackOff>,
    /// What the last pull that failed was told.
    pub pull_error: String,
    /// The waits between its restarts.
    pub crash: Option<BackOff>,
    /// When its last process but the one that runs ended.
    pub ended_at: Option<SimTime>,
    /// How the process that is being stopped will end.
    pub ending: Option<Ending>,
    /// Whether it has started: other probes wait for that.
    pub startup: Probing,
    /// Whether it is ready.
    pub readiness: Probing,
    /// Whether it lives.
    pub liveness: Probing,
    /// What it was given when it was created, if it was given anything that may change.
    pub given: Option<Given>,
}

/// What a container keeps as it was when it was created, whatever its sources say since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Given {
    /// Variables that its spec declares, with their values.
    pub env: Vec<(String, String)>,
    /// Files that are mounted one by one (`subPath`), by their whole path.
    pub files: BTreeMap<String, String>,
}

/// What the kubelet last wrote into those of a pod's volumes that are made from objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// Files by their path in the volume, by the name of the volume.
    pub volumes: BTreeMap<String, BTreeMap<String, String>>,
    /// Volumes whose object said that it never changes: the kubelet does not ask for it again.
    pub fixed: Vec<String>,
    /// A digest of the pod's labels and annotations: a change of those has its volumes looked at.
    pub seen: u64,
    /// When they are written anew, if something is known to differ.
    pub due: Option<SimTime>,
    /// Tries in a row that failed.
    pub failures: u32,
}

/// How far a pod's sandbox is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SandboxStep {
    /// Being set up: the CNI plugin is asked when it is due.
    #[default]
    Creating,
    /// A volume has no source: mounting is tried again when it is due.
    Mounting,
    /// The pod has its network.
    Ready,
    /// Its containers are being stopped.
    Stopping,
}

/// A pod's sandbox on its node, with what the kubelet has in hand. Named as its pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sandbox {
    /// Namespace and name of the pod.
    pub metadata: ObjectMeta,
    /// The pod's uid.
    pub pod_uid: String,
    /// The node's name.
    pub node: String,
    /// The runtime's id: 64 hexadecimal digits, new with each attempt.
    pub id: String,
    /// How far it is.
    pub step: SandboxStep,
    /// When this step is over.
    pub due: SimTime,
    /// Attempts that failed.
    pub failures: u32,
    /// The pod's address.
    pub ip: Option<IpAddr>,
    /// Its containers, init containers first.
    pub containers: Vec<ContainerWork>,
    /// From when on its containers are probed: ticks of probes count from here.
    #[serde(default)]
    pub probed_from: SimTime,
    /// Whether all init containers have done their part once.
    #[serde(default)]
    pub initialized: bool,
    /// The file on its node that a static pod is made from: what the API server shows of it is made anew when it is deleted.
    #[serde(default)]
    pub manifest: Option<Box<Pod>>,
    /// Until when its volumes are waited for, while some cannot be made.
    #[serde(default)]
    pub mounts_until: Option<SimTime>,
    /// What was written into its volumes, if it has any that are made from objects.
    #[serde(default)]
    pub written: Option<Written>,
    /// Why its containers are being stopped; `None` if the pod is deleted, or all of them have ended.
    #[serde(default)]
    pub stopped_for: Option<StopCause>,
}

/// Why a kubelet ends a pod that nobody deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopCause {
    /// What the pod's status gives as its reason.
    pub reason: String,
    /// And as its message.
    pub message: String,
    /// Seconds that its containers are given.
    pub grace: Option<u64>,
    /// What the condition `DisruptionTarget` says, if the pod gets one.
    pub disruption: Option<String>,
}

/// What a container of an image does when it is started. `metadata.name` is the image, with or without its tag, or a
/// pattern with `*` for any letters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Image {
    /// Such as `nginx` or `registry.example.com/shop/api:1.4`.
    pub metadata: ObjectMeta,
    /// Bytes to pull.
    pub size: u64,
    /// Milliseconds that its pull takes; as many as its size needs if absent.
    pub pull_takes: Option<u64>,
    /// Whether no registry has it.
    pub missing: bool,
    /// Ports that its process serves.
    pub ports: Vec<u16>,
    /// Milliseconds from its start until it serves them.
    pub serves_after: u64,
    /// After so many milliseconds it accepts connections and answers no more; never if absent.
    pub hangs_after: Option<u64>,
    /// What HTTP answers for a path; `*` for those not named. 200 if nothing fits.
    pub answers: BTreeMap<String, u16>,
    /// The user it runs as, if the image names one: `101`, `nginx`. Root without.
    pub user: Option<String>,
    /// After so many milliseconds its process ends; it runs for ever if absent.
    pub ends_after: Option<u64>,
    /// Its exit code, if it ends.
    pub exit_code: i32,
    /// Whether it ends at once when it is asked to (SIGTERM).
    pub obeys_term: Option<bool>,
    /// Thousandths of a CPU that each of its containers uses.
    pub cpu: u64,
    /// Thousandths of a CPU that all its running containers share: work that comes from outside, whoever does it.
    pub shared_cpu: u64,
    /// Bytes of memory that each of its containers uses.
    pub memory: u64,
    /// Bytes that each of its containers writes to its disk.
    pub disk: u64,
    /// What it writes to its log.
    pub log: Vec<String>,
}

/// Where a pod stands in the scheduling queue, once it has been tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueuePlace {
    /// No node would take it; it waits for something to happen that may help.
    #[default]
    Unschedulable,
    /// Something happened that may help, or the scheduler itself could not go on; it rests before it is tried again.
    BackOff,
    /// It is to be tried.
    Active,
    /// It has been given a node, and its volumes are being prepared.
    Binding,
}

/// What the scheduling queue remembers of a pod that has been tried. Named as its pod; gone once it is on a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueuedPod {
    /// Namespace and name of the pod.
    pub metadata: ObjectMeta,
    /// The pod's uid.
    pub pod_uid: String,
    /// Where it stands.
    pub place: QueuePlace,
    /// Attempts that failed.
    pub attempts: u32,
    /// Those of them in which nodes refused it.
    pub refusals: u32,
    /// The attempts of late in which the scheduler itself could not go on.
    pub errors: u32,
    /// When it was last tried.
    pub tried_at: SimTime,
    /// The same in seconds since 1970: of pods of one priority, who waits longer comes first.
    pub since: i64,
    /// Until when it rests, should something happen that may help.
    pub back_off_until: SimTime,
    /// The plugins that refused it; none if the scheduler itself could not go on.
    pub refused_by: Vec<String>,
    /// What may help, such as `Node/UpdateNodeTaint`.
    pub retries_on: Vec<String>,
    /// The node it has been given, while its volumes are being prepared.
    pub node: Option<String>,
    /// What the scheduler said last.
    pub message: String,
}
