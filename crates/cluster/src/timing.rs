//! How long does it take?
//!
//! Every duration of the simulation with its source. Nothing here is measured by a clock.

use api::SimDuration;

/// From a write to the moment a watching controller looks. MODEL: real watches take 1 to 10 ms; one figure here.
pub const WATCH: SimDuration = SimDuration::millis(2);

/// From the launch of an instance to its state `running`. MODEL: real launches differ; one figure here.
/// Source: EC2 user guide (instance lifecycle); Nitro instances of the t3 and m5 families take 10 to 20 s.
pub const INSTANCE_PENDING: SimDuration = SimDuration::secs(15);

/// From `running` to the first start of the kubelet: kernel, cloud-init, nodeadm.
/// Source: awslabs/amazon-eks-ami, AL2023 boot; together with the launch and aws-node 60 to 90 s pass.
pub const NODE_BOOT: SimDuration = SimDuration::secs(25);

/// From asking an instance to stop to its state `stopped`.
/// Source: EC2 user guide (stop and start); tens of seconds.
pub const INSTANCE_STOP: SimDuration = SimDuration::secs(30);

/// From CreateNatGateway to `available`. Assumption: minutes in the console, rarely more than two.
pub const NAT_GATEWAY_CREATE: SimDuration = SimDuration::secs(90);

/// From DeleteNatGateway to `deleted`, when its address is free again. Assumption.
pub const NAT_GATEWAY_DELETE: SimDuration = SimDuration::secs(45);

/// From CreateVpcEndpoint of an interface endpoint to `available`. Assumption.
pub const VPC_ENDPOINT_CREATE: SimDuration = SimDuration::secs(60);

/// From asking an instance to terminate to its state `terminated`.
pub const INSTANCE_TERMINATE: SimDuration = SimDuration::secs(30);

/// From CreateNetworkInterface to an ENI that ipamd sees attached.
/// Source: amazon-vpc-cni-k8s README: attaching takes up to 10 s.
pub const ENI_ATTACH: SimDuration = SimDuration::secs(6);

/// From DetachNetworkInterface to the deleted ENI.
/// Source: amazon-vpc-cni-k8s `pkg/awsutils`: deletion is tried again until the detachment is through.
pub const ENI_DETACH: SimDuration = SimDuration::secs(5);

/// How often ipamd compares its pool with its targets.
/// Source: amazon-vpc-cni-k8s `pkg/ipamd/ipamd.go` (2.5 s before and after each round).
pub const IPAMD_TICK: SimDuration = SimDuration::secs(5);

/// How long ipamd asks for nothing after a subnet had no address.
/// Source: amazon-vpc-cni-k8s `pkg/ipamd/ipamd.go` (`insufficientCidrErrorCooldown`).
pub const IPAMD_BACK_OFF: SimDuration = SimDuration::secs(120);

/// From the start of the aws-node container to a CNI configuration in place.
/// MODEL: ipamd's own start, its look at IMDS and the first AssignPrivateIpAddresses in one figure.
pub const IPAMD_START: SimDuration = SimDuration::secs(4);

/// From a CNI configuration in place to the kubelet's next look at the runtime's status.
/// Source: kubelet: the runtime's state is asked every 5 s.
pub const NETWORK_CHECK: SimDuration = SimDuration::secs(5);

/// Setting up a sandbox: the pause container's cgroups and namespaces, then the CNI plugin.
/// MODEL: containerd takes 0.2 to 0.6 s on small instances; one figure here.
pub const SANDBOX: SimDuration = SimDuration::millis(400);

/// Wait before a sandbox that failed is tried again.
/// Source: kubelet `backOffPeriod` of the pod workers: 10 s, with jitter up to 1.5 times.
pub const SANDBOX_RETRY: SimDuration = SimDuration::secs(10);

/// Creating and starting a container whose image is there.
pub const CONTAINER_START: SimDuration = SimDuration::millis(120);

/// The shortest pull: the registry's manifest and an almost empty layer.
pub const PULL_BASE: SimDuration = SimDuration::millis(300);

/// Bytes that a pull moves and unpacks in a millisecond. MODEL: 40 MB/s, as a small instance does it from ECR.
pub const PULL_BYTES_PER_MILLI: u64 = 40_000;

/// First wait after a failed pull or an ended container; it doubles each time.
/// Source: kubelet `pkg/kubelet/kubelet.go` (`MaxCrashLoopBackOff`, image back-off): 10 s to 300 s.
pub const BACK_OFF: SimDuration = SimDuration::secs(10);
/// Longest such wait.
pub const BACK_OFF_MAX: SimDuration = SimDuration::secs(300);

/// From the end of a process to the kubelet's notice of it.
/// Source: kubelet `genericPlegRelistPeriod`: it looks every second; half of that here.
pub const RELIST: SimDuration = SimDuration::millis(500);

/// From the start of a container to the first probe of its readiness: the kubelet writes its status, which wakes the probe.
pub const FIRST_PROBE: SimDuration = SimDuration::millis(200);

/// From SIGTERM to the end of a process that obeys it.
pub const TERM: SimDuration = SimDuration::millis(250);

/// Between the ends of two pods that a node stops at once. MODEL: real ones differ by a few milliseconds.
pub const STOP_APART: SimDuration = SimDuration::millis(5);

/// How often a kubelet renews its lease.
/// Source: kubelet: a quarter of `nodeLeaseDurationSeconds` (40 s).
pub const LEASE: SimDuration = SimDuration::secs(10);

/// From a terminated instance to the removal of its Node.
/// Source: cloud-provider `cloud-node-lifecycle-controller`: every 5 s.
pub const NODE_GONE: SimDuration = SimDuration::secs(5);

/// From CreateCluster to `ACTIVE`. Source: EKS user guide: about ten minutes.
pub const CLUSTER_CREATE: SimDuration = SimDuration::secs(600);

/// From UpdateClusterConfig to the end of the update. MODEL: not recorded; people speak of some minutes.
pub const CLUSTER_UPDATE: SimDuration = SimDuration::secs(120);

/// From UpdateClusterVersion to the new control plane. Source: EKS user guide (update cluster: it takes several minutes); MODEL: as long as
/// a new cluster.
pub const CLUSTER_UPGRADE: SimDuration = SimDuration::secs(600);

/// What a managed node group needs beside its instances: role, launch template, Auto Scaling group.
pub const NODEGROUP_CREATE: SimDuration = SimDuration::secs(20);

/// What an update of a managed node group needs before the first new node: a launch template version.
pub const NODEGROUP_SETUP: SimDuration = SimDuration::secs(30);

/// What the deletion of a node group needs beside its instances.
pub const NODEGROUP_DELETE: SimDuration = SimDuration::secs(30);

/// From CreateFargateProfile to `ACTIVE`. MODEL: 26 s were seen in late 2025, five minutes the year before.
/// Source: aws/containers-roadmap#2392.
pub const FARGATE_PROFILE_CREATE: SimDuration = SimDuration::secs(30);

/// From DeleteFargateProfile to the end of the profile. Source: aws/containers-roadmap#2392, #1211: two minutes, sometimes 20.
pub const FARGATE_PROFILE_DELETE: SimDuration = SimDuration::secs(120);

/// From a pod that Fargate takes to the node that its micro-VM registers.
/// Source: aws-samples/eks-workshop-v2 (events 38 s apart); 30 to 90 s are usual.
pub const FARGATE_BOOT: SimDuration = SimDuration::secs(40);

/// From there to a node that is ready. Source: aws/containers-roadmap#1976: the pod starts 10 s after its node was made.
pub const FARGATE_READY: SimDuration = SimDuration::secs(8);

/// From the end of a pod to the end of its micro-VM, its node and its ENI. MODEL: not recorded; one figure here.
pub const FARGATE_END: SimDuration = SimDuration::secs(10);

/// What kind needs to start a control plane: the stages it prints. Source: kind's own output, 20 to 30 s.
pub const KIND_CREATE: SimDuration = SimDuration::secs(20);

/// From the start of a scheduler or a controller manager to its first look, where it is the leader at once.
/// MODEL: it lists everything first, which takes longer in larger clusters.
pub const PART_START: SimDuration = SimDuration::secs(1);

/// How long a leader's lease lasts: so long waits who finds one of somebody that did not give it back. The scheduler
/// gives it back when it is stopped, the controller manager does not.
/// Source: `--leader-elect-lease-duration`; client-go `tools/leaderelection` (`isLeaseValid`, `ReleaseOnCancel`).
pub const LEADER_LEASE: SimDuration = SimDuration::secs(15);

/// A leader that could not renew its lease for so long gives up. Source: `--leader-elect-renew-deadline`.
pub const RENEW_DEADLINE: SimDuration = SimDuration::secs(10);

/// Longest wait of a client before it looks for the API server again.
/// Source: client-go `tools/cache/reflector.go`: 0.8 s, doubling to 30 s.
pub const RELIST_MAX: SimDuration = SimDuration::secs(30);

/// So long after the runtime last answered its node is not ready.
/// Source: kubelet `maxWaitForContainerRuntime`.
pub const RUNTIME_DOWN: SimDuration = SimDuration::secs(30);

/// So long after the last list of containers the kubelet complains of that too.
/// Source: kubelet `genericPlegRelistThreshold`.
pub const PLEG_THRESHOLD: SimDuration = SimDuration::secs(180);

/// Silence after which a node is `Unknown`. Source: `--node-monitor-grace-period`, 50 s since 1.32.
pub const NODE_MONITOR_GRACE: SimDuration = SimDuration::secs(50);

/// From CreateVolume to a volume that is `available`.
/// Source: EBS user guide (volume states); the CSI driver polls for it, one to three seconds.
pub const VOLUME_CREATE: SimDuration = SimDuration::secs(2);

/// From AttachVolume to a device that the node sees. MODEL: the same time for DetachVolume.
/// Source: EBS user guide (volume states); the CSI driver polls for it, one to three seconds.
pub const VOLUME_ATTACH: SimDuration = SimDuration::secs(2);
