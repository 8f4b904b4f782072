//! Which kinds are there, what are they called, and which Rust type holds them?
//!
//! THE REGISTRY of kinds: a new one is a row here and, if it is simulated and `k8s-openapi` lacks it, a file in
//! [`crate::kinds`]. Typed rows are simulated. The others are stored as they came and shown back; they are marked as not
//! simulated, unless their row says that something follows from them.
//! Source of the names: `kubectl api-resources -o wide` of a 1.34 cluster.

use serde_json::Value;

use crate::{
    custom::Custom,
    k8s, kinds,
    meta::ObjectMeta,
    object::{Resource, Stored},
};

/// Where an object's name is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// In one namespace of one Kubernetes cluster.
    Namespaced,
    /// In one Kubernetes cluster.
    Cluster,
    /// In the whole world: the AWS account and what lies around it.
    World,
}

/// Whose words a kind is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// Served by a Kubernetes API server.
    Kubernetes,
    /// An EC2 resource: `aws/Subnet`.
    Aws,
    /// An EKS resource: `eks/Cluster`.
    Eks,
    /// What only the lab knows: `sim/IpPool`.
    Sim,
}

/// What a kind is called.
#[derive(Debug)]
pub struct KindInfo {
    /// API group; empty for the core group, `aws`, `eks` or `sim` for what no API server serves.
    pub group: &'static str,
    /// Such as `v1`.
    pub version: &'static str,
    /// Such as `pods`.
    pub plural: &'static str,
    /// Such as `Pod`.
    pub kind: &'static str,
    /// Such as `pod`, where a definition says it; otherwise it is the kind in lower case.
    pub singular: Option<&'static str>,
    /// Such as `po`.
    pub short: &'static [&'static str],
    /// Where its names are unique.
    pub scope: Scope,
    /// Such as `all`.
    pub categories: &'static [&'static str],
    /// What the API server lets one do with it.
    pub verbs: &'static [&'static str],
    /// Whether the lab gives it behaviour; otherwise it is stored and marked.
    pub simulated: bool,
}

const ALL: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// Of custom resources, in the order in which their server names them.
pub(crate) const CUSTOM: &[&str] =
    &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const NO_COLLECTION: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];
const READ: &[&str] = &["get", "list"];
const NONE: &[&str] = &[];

impl KindInfo {
    /// Such as `pod`.
    #[must_use]
    pub fn singular(&self) -> String {
        self.singular.map_or_else(|| self.kind.to_lowercase(), str::to_owned)
    }

    /// Whether `kubectl` means this kind by a word in lower case: plural, singular, short name, or one of these with
    /// its group, or with its version and group.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        let (name, group) = word.split_once('.').map_or((word, None), |(n, g)| (n, Some(g)));
        (self.plural == name || self.singular() == name || self.short.contains(&name))
            && group.is_none_or(|g| {
                let version = g.strip_suffix(self.group).and_then(|rest| rest.strip_suffix('.'));
                g == self.group || version == Some(self.version)
            })
    }

    /// `pods` or `deployments.apps`, as in messages.
    #[must_use]
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `v1` or `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether an API server serves it only where its CustomResourceDefinition was installed.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.singular.is_some() || self.group == "crd.k8s.amazonaws.com"
    }

    /// Whose words these are.
    #[must_use]
    pub fn domain(&self) -> Domain {
        match self.group {
            "aws" => Domain::Aws,
            "eks" => Domain::Eks,
            "sim" => Domain::Sim,
            _ => Domain::Kubernetes,
        }
    }
}

macro_rules! kinds {
    (simulated) => { true };
    () => { false };
    (typed { $($t:ident($ty:ty): $tg:expr, $tv:expr, $tp:expr, $tk:expr, [$($ts:expr),*], $tscope:ident, [$($tc:expr),*], $tverbs:expr;)* }
     stored { $($s:ident: $sg:expr, $sv:expr, $sp:expr, $sk:expr, [$($ss:expr),*], $sscope:ident, [$($sc:expr),*], $sverbs:expr
        $(, $simulated:ident)?;)* }) => {
        /// A kind of object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the variants are the kinds' own names")]
        pub enum Kind {
            $($t,)*
            $($s,)*
            /// What a definition in a cluster adds.
            Custom(Custom),
        }

        impl Kind {
            /// Every kind that needs no definition, in the registry's order.
            pub const EVERY: &'static [Kind] = &[$(Kind::$t,)* $(Kind::$s,)*];

            /// What it is called.
            #[must_use]
            pub fn info(self) -> &'static KindInfo {
                match self {
                    $(Kind::$t => const { &KindInfo { group: $tg, version: $tv, plural: $tp, kind: $tk, singular: None, short: &[$($ts),*],
                        scope: Scope::$tscope, categories: &[$($tc),*], verbs: $tverbs, simulated: true } },)*
                    $(Kind::$s => const { &KindInfo { group: $sg, version: $sv, plural: $sp, kind: $sk, singular: None, short: &[$($ss),*],
                        scope: Scope::$sscope, categories: &[$($sc),*], verbs: $sverbs, simulated: kinds!($($simulated)?) } },)*
                    Kind::Custom(custom) => custom.info(),
                }
            }
        }

        $(impl Resource for $ty {
            const KIND: Kind = Kind::$t;
            fn of(object: &Object) -> Option<&Self> {
                if let Object::$t(it) = object { Some(it) } else { None }
            }
            fn of_mut(object: &mut Object) -> Option<&mut Self> {
                if let Object::$t(it) = object { Some(it) } else { None }
            }
            fn into_object(self) -> Object { Object::$t(Box::new(self)) }
            fn meta(&self) -> &ObjectMeta { &self.metadata }
            fn meta_mut(&mut self) -> &mut ObjectMeta { &mut self.metadata }
        })*

        /// Anything the store holds.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the variants are the kinds' own names")]
        pub enum Object { $($t(Box<$ty>),)* Stored(Box<Stored>) }

        impl Object {
            /// Which kind.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self { $(Object::$t(_) => Kind::$t,)* Object::Stored(it) => it.kind }
            }

            /// Its metadata.
            #[must_use]
            pub fn meta(&self) -> &ObjectMeta {
                match self { $(Object::$t(it) => &it.metadata,)* Object::Stored(it) => &it.metadata }
            }

            /// Its metadata, to change.
            pub fn meta_mut(&mut self) -> &mut ObjectMeta {
                match self { $(Object::$t(it) => &mut it.metadata,)* Object::Stored(it) => &mut it.metadata }
            }

            pub(crate) fn typed_value(&self) -> Value {
                match self {
                    $(Object::$t(it) => serde_json::to_value(it).unwrap_or_default(),)*
                    Object::Stored(_) => Value::Null,
                }
            }

            /// Reads an object of `kind` from its JSON form. Fields that the type does not have are dropped: strict
            /// decoding has spoken before.
            /// # Errors
            /// The first value that has the wrong type.
            pub fn from_value(kind: Kind, value: Value) -> Result<Object, serde_json::Error> {
                match kind {
                    $(Kind::$t => Ok(Object::$t(Box::new(serde_json::from_value::<$ty>(value)?))),)*
                    $(Kind::$s => Ok(Object::Stored(Box::new(Stored::from_value(kind, value)?))),)*
                    Kind::Custom(_) => Ok(Object::Stored(Box::new(Stored::from_value(kind, value)?))),
                }
            }
        }
    };
}

kinds! {
    typed {
    ConfigMap(k8s::core::v1::ConfigMap): "", "v1", "configmaps", "ConfigMap", ["cm"], Namespaced, [], ALL;
    Endpoints(k8s::core::v1::Endpoints): "", "v1", "endpoints", "Endpoints", ["ep"], Namespaced, [], ALL;
    Event(k8s::core::v1::Event): "", "v1", "events", "Event", ["ev"], Namespaced, [], ALL;
    Namespace(k8s::core::v1::Namespace): "", "v1", "namespaces", "Namespace", ["ns"], Cluster, [], NO_COLLECTION;
    Node(k8s::core::v1::Node): "", "v1", "nodes", "Node", ["no"], Cluster, [], ALL;
    Pod(k8s::core::v1::Pod): "", "v1", "pods", "Pod", ["po"], Namespaced, ["all"], ALL;
    Secret(k8s::core::v1::Secret): "", "v1", "secrets", "Secret", [], Namespaced, [], ALL;
    ServiceAccount(k8s::core::v1::ServiceAccount): "", "v1", "serviceaccounts", "ServiceAccount", ["sa"], Namespaced, [], ALL;
    Service(k8s::core::v1::Service): "", "v1", "services", "Service", ["svc"], Namespaced, ["all"], ALL;
    DaemonSet(k8s::apps::v1::DaemonSet): "apps", "v1", "daemonsets", "DaemonSet", ["ds"], Namespaced, ["all"], ALL;
    Deployment(k8s::apps::v1::Deployment): "apps", "v1", "deployments", "Deployment", ["deploy"], Namespaced, ["all"], ALL;
    ReplicaSet(k8s::apps::v1::ReplicaSet): "apps", "v1", "replicasets", "ReplicaSet", ["rs"], Namespaced, ["all"], ALL;
    StatefulSet(k8s::apps::v1::StatefulSet): "apps", "v1", "statefulsets", "StatefulSet", ["sts"], Namespaced, ["all"], ALL;
    HorizontalPodAutoscaler(k8s::autoscaling::v2::HorizontalPodAutoscaler): "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", ["hpa"], Namespaced, ["all"], ALL;
    CronJob(k8s::batch::v1::CronJob): "batch", "v1", "cronjobs", "CronJob", ["cj"], Namespaced, ["all"], ALL;
    Job(k8s::batch::v1::Job): "batch", "v1", "jobs", "Job", [], Namespaced, ["all"], ALL;
    Lease(k8s::coordination::v1::Lease): "coordination.k8s.io", "v1", "leases", "Lease", [], Namespaced, [], ALL;
    EndpointSlice(k8s::discovery::v1::EndpointSlice): "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", [], Namespaced, [], ALL;
    PriorityClass(k8s::scheduling::v1::PriorityClass): "scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", ["pc"], Cluster, [], ALL;
    ENIConfig(kinds::cni::EniConfig): "crd.k8s.amazonaws.com", "v1alpha1", "eniconfigs", "ENIConfig", [], Cluster, [], ALL;
    Vpc(kinds::aws::Vpc): "aws", "v1", "vpcs", "Vpc", [], World, [], NONE;
    Subnet(kinds::aws::Subnet): "aws", "v1", "subnets", "Subnet", [], World, [], NONE;
    RouteTable(kinds::aws::RouteTable): "aws", "v1", "routetables", "RouteTable", [], World, [], NONE;
    InternetGateway(kinds::aws::InternetGateway): "aws", "v1", "internetgateways", "InternetGateway", [], World, [], NONE;
    NatGateway(kinds::aws::NatGateway): "aws", "v1", "natgateways", "NatGateway", [], World, [], NONE;
    ElasticIp(kinds::aws::ElasticIp): "aws", "v1", "elasticips", "ElasticIp", [], World, [], NONE;
    VpcEndpoint(kinds::aws::VpcEndpoint): "aws", "v1", "vpcendpoints", "VpcEndpoint", [], World, [], NONE;
    LoadBalancer(kinds::aws::LoadBalancer): "aws", "v1", "loadbalancers", "LoadBalancer", [], World, [], NONE;
    NetworkAcl(kinds::aws::NetworkAcl): "aws", "v1", "networkacls", "NetworkAcl", [], World, [], NONE;
    SecurityGroup(kinds::aws::SecurityGroup): "aws", "v1", "securitygroups", "SecurityGroup", [], World, [], NONE;
    Eni(kinds::aws::Eni): "aws", "v1", "enis", "Eni", [], World, [], NONE;
    AvailabilityZone(kinds::aws::AvailabilityZone): "aws", "v1", "availabilityzones", "AvailabilityZone", [], World, [], NONE;
    Instance(kinds::aws::Instance): "aws", "v1", "instances", "Instance", [], World, [], NONE;
    EksCluster(kinds::eks::EksCluster): "eks", "v1", "clusters", "Cluster", [], World, [], NONE;
    Addon(kinds::eks::Addon): "eks", "v1", "addons", "Addon", [], World, [], NONE;
    Nodegroup(kinds::eks::Nodegroup): "eks", "v1", "nodegroups", "Nodegroup", [], World, [], NONE;
    FargateProfile(kinds::eks::FargateProfile): "eks", "v1", "fargateprofiles", "FargateProfile", [], World, [], NONE;
    ControlPlane(kinds::sim::ControlPlane): "sim", "v1", "controlplanes", "ControlPlane", [], World, [], NONE;
    Actor(kinds::sim::Actor): "sim", "v1", "actors", "Actor", [], World, [], NONE;
    Image(kinds::sim::Image): "sim", "v1", "images", "Image", [], World, [], NONE;
    Machine(kinds::sim::Machine): "sim", "v1", "machines", "Machine", [], Cluster, [], NONE;
    Sandbox(kinds::sim::Sandbox): "sim", "v1", "sandboxes", "Sandbox", [], Namespaced, [], NONE;
    Part(kinds::sim::Part): "sim", "v1", "parts", "Part", [], Cluster, [], NONE;
    QueuedPod(kinds::sim::QueuedPod): "sim", "v1", "queuedpods", "QueuedPod", [], Namespaced, [], NONE;
    IpPool(kinds::cni::IpPool): "sim", "v1", "ippools", "IpPool", [], Cluster, [], NONE;
    }
    stored {
    Binding: "", "v1", "bindings", "Binding", [], Namespaced, [], CREATE;
    ComponentStatus: "", "v1", "componentstatuses", "ComponentStatus", ["cs"], Cluster, [], READ, simulated;
    LimitRange: "", "v1", "limitranges", "LimitRange", ["limits"], Namespaced, [], ALL, simulated;
    PersistentVolumeClaim: "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", ["pvc"], Namespaced, [], ALL, simulated;
    PersistentVolume: "", "v1", "persistentvolumes", "PersistentVolume", ["pv"], Cluster, [], ALL, simulated;
    PodTemplate: "", "v1", "podtemplates", "PodTemplate", [], Namespaced, [], ALL;
    ReplicationController: "", "v1", "replicationcontrollers", "ReplicationController", ["rc"], Namespaced, ["all"], ALL, simulated;
    ResourceQuota: "", "v1", "resourcequotas", "ResourceQuota", ["quota"], Namespaced, [], ALL, simulated;
    MutatingWebhookConfiguration: "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", [], Cluster, ["api-extensions"], ALL;
    ValidatingAdmissionPolicy: "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", [], Cluster, ["api-extensions"], ALL, simulated;
    ValidatingAdmissionPolicyBinding: "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", [], Cluster, ["api-extensions"], ALL, simulated;
    ValidatingWebhookConfiguration: "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", [], Cluster, ["api-extensions"], ALL;
    CustomResourceDefinition: "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", ["crd", "crds"], Cluster, ["api-extensions"], ALL, simulated;
    APIService: "apiregistration.k8s.io", "v1", "apiservices", "APIService", [], Cluster, ["api-extensions"], ALL;
    ControllerRevision: "apps", "v1", "controllerrevisions", "ControllerRevision", [], Namespaced, [], ALL, simulated;
    SelfSubjectReview: "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", [], Cluster, [], CREATE, simulated;
    TokenReview: "authentication.k8s.io", "v1", "tokenreviews", "TokenReview", [], Cluster, [], CREATE;
    LocalSubjectAccessReview: "authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", [], Namespaced, [], CREATE, simulated;
    SelfSubjectAccessReview: "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", [], Cluster, [], CREATE, simulated;
    SelfSubjectRulesReview: "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", [], Cluster, [], CREATE, simulated;
    SubjectAccessReview: "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", [], Cluster, [], CREATE, simulated;
    AutoscalerV1: "autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", [], Namespaced, ["all"], ALL, simulated;
    CertificateSigningRequest: "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", ["csr"], Cluster, [], ALL;
    EventsV1: "events.k8s.io", "v1", "events", "Event", ["ev"], Namespaced, [], ALL;
    FlowSchema: "flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema", [], Cluster, [], ALL;
    PriorityLevelConfiguration: "flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration", [], Cluster, [], ALL;
    IngressClass: "networking.k8s.io", "v1", "ingressclasses", "IngressClass", [], Cluster, [], ALL;
    Ingress: "networking.k8s.io", "v1", "ingresses", "Ingress", ["ing"], Namespaced, [], ALL;
    IPAddress: "networking.k8s.io", "v1", "ipaddresses", "IPAddress", ["ip"], Cluster, [], ALL;
    NetworkPolicy: "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", ["netpol"], Namespaced, [], ALL, simulated;
    ServiceCIDR: "networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", [], Cluster, [], ALL;
    RuntimeClass: "node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", [], Cluster, [], ALL;
    PodDisruptionBudget: "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", ["pdb"], Namespaced, [], ALL, simulated;
    ClusterRoleBinding: "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", [], Cluster, [], ALL, simulated;
    ClusterRole: "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", [], Cluster, [], ALL, simulated;
    RoleBinding: "rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", [], Namespaced, [], ALL, simulated;
    Role: "rbac.authorization.k8s.io", "v1", "roles", "Role", [], Namespaced, [], ALL, simulated;
    DeviceClass: "resource.k8s.io", "v1", "deviceclasses", "DeviceClass", [], Cluster, [], ALL;
    ResourceClaim: "resource.k8s.io", "v1", "resourceclaims", "ResourceClaim", [], Namespaced, [], ALL;
    ResourceClaimTemplate: "resource.k8s.io", "v1", "resourceclaimtemplates", "ResourceClaimTemplate", [], Namespaced, [], ALL;
    ResourceSlice: "resource.k8s.io", "v1", "resourceslices", "ResourceSlice", [], Cluster, [], ALL;
    CSIDriver: "storage.k8s.io", "v1", "csidrivers", "CSIDriver", [], Cluster, [], ALL;
    CSINode: "storage.k8s.io", "v1", "csinodes", "CSINode", [], Cluster, [], ALL, simulated;
    CSIStorageCapacity: "storage.k8s.io", "v1", "csistoragecapacities", "CSIStorageCapacity", [], Namespaced, [], ALL;
    StorageClass: "storage.k8s.io", "v1", "storageclasses", "StorageClass", ["sc"], Cluster, [], ALL, simulated;
    VolumeAttachment: "storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", [], Cluster, [], ALL;
    VolumeAttributesClass: "storage.k8s.io", "v1", "volumeattributesclasses", "VolumeAttributesClass", ["vac"], Cluster, [], ALL;
    }
}

impl Kind {
    /// The kind of a manifest's `apiVersion` and `kind`.
    #[must_use]
    pub fn of_manifest(api_version: &str, kind: &str) -> Option<Kind> {
        Self::EVERY.iter().copied().find(|k| {
            let info = k.info();
            info.domain() == Domain::Kubernetes && info.kind == kind && info.api_version() == api_version
        })
    }

    /// The kind that `kubectl` means by a word: plural, singular, short name, or one of these with its group.
    #[must_use]
    pub fn of_resource(word: &str) -> Option<Kind> {
        let word = word.to_lowercase();
        Self::EVERY.iter().copied().find(|k| {
            let info = k.info();
            info.domain() == Domain::Kubernetes && info.is_called(&word)
        })
    }

    /// The kind as which it is stored: some are served in more than one version or group.
    #[must_use]
    pub fn stored(self) -> Kind {
        match self {
            Kind::AutoscalerV1 => Kind::HorizontalPodAutoscaler,
            Kind::EventsV1 => Kind::Event,
            kind => kind,
        }
    }

    /// The kind that a lesson means: `Pod`, `aws/Subnet`, `eks/Cluster`, `sim/IpPool`.
    #[must_use]
    pub fn of_lesson(word: &str) -> Option<Kind> {
        let (group, kind) = word.split_once('/').map_or((None, word), |(g, k)| (Some(g), k));
        Self::EVERY.iter().copied().find(|k| {
            let info = k.info();
            info.kind == kind
                && match group {
                    Some(group) => info.group == group,
                    None => info.domain() == Domain::Kubernetes,
                }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_words_find_their_kind() {
        for word in ["po", "pods", "pod", "Pod"] {
            assert_eq!(Kind::of_resource(word), Some(Kind::Pod));
        }
        assert_eq!(Kind::of_resource("deployments.apps"), Some(Kind::Deployment));
        assert_eq!(Kind::of_resource("deploy.v1.apps"), Some(Kind::Deployment));
        assert_eq!(Kind::of_resource("events.events.k8s.io"), Some(Kind::EventsV1));
        assert_eq!(Kind::of_resource("vpcs"), None);
    }

    #[test]
    fn a_lesson_names_aws_kinds_with_their_service() {
        assert_eq!(Kind::of_lesson("aws/Subnet"), Some(Kind::Subnet));
        assert_eq!(Kind::of_lesson("Subnet"), None);
    }
}
