//! What does Fargate make of a pod? The arithmetic of its size, and how far its micro-VM is.

use api::{
    k8s::core::v1::{Pod, PodCondition},
    kinds::{
        eks::FargateSelector,
        sim::{Machine, MicroVm},
    },
};
use cluster::{
    ClusterId,
    node::fargate::{PROFILE_LABEL, SCHEDULER, Size, Sizing, sizing},
    provision::fargate_profile_in,
    timing,
};

use super::Moment;

/// Why Fargate runs a pod as it does, or does not run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FargateWhy {
    /// The profile that took it.
    pub profile: String,
    /// The profile's selectors, each as its namespace and labels: `web + tier=front`.
    pub selectors: Vec<String>,
    /// How big its machine has to be.
    pub sizing: Sizing,
    /// What Fargate says against it.
    pub refused: Option<String>,
    /// Seconds until its machine registers, while it boots.
    pub boots_for: Option<u64>,
    /// Whether no subnet of the profile had an address for it.
    pub waits_for_address: bool,
}

impl FargateWhy {
    /// The selectors in brackets, each as code; nothing where the profile is gone.
    #[must_use]
    pub fn selected_by(&self) -> String {
        match self.selectors.as_slice() {
            [] => String::new(),
            all => format!(" (`{}`)", all.join("`, `")),
        }
    }
}

/// CPU and memory as a pod asks for them, each as code.
#[must_use]
pub fn amount(size: Size) -> String {
    format!("`{}m`, `{}Mi`", size.cpu_milli, size.memory_mib)
}

/// Of a pod that a profile has taken.
#[must_use]
pub fn why(moment: Moment<'_>, cluster: ClusterId, pod: &Pod) -> Option<FargateWhy> {
    let spec = pod.spec.as_ref().filter(|it| it.scheduler_name.as_deref() == Some(SCHEDULER))?;
    let profile = pod.metadata.labels.as_ref().and_then(|it| it.get(PROFILE_LABEL)).cloned()?;
    let stored = fargate_profile_in(moment.store, cluster, &profile);
    let selectors = stored.map(|it| it.selectors.iter()).into_iter().flatten();
    let conditions = pod.status.iter().flat_map(|it| it.conditions.iter().flatten());
    let said = |it: &PodCondition| {
        let no = it.type_ == "PodScheduled" && it.status == "False";
        it.message.clone().filter(|_| no)
    };
    let refused = conditions.into_iter().find_map(said);
    let vm = machine(moment, cluster, pod);
    let boots_for = vm.filter(|_| spec.node_name.is_none()).map(|vm| {
        let passed = moment.now.since(vm.launched_at).0;
        timing::FARGATE_BOOT.0.saturating_sub(passed).div_ceil(1000)
    });
    Some(FargateWhy {
        profile,
        selectors: selectors.map(selector).collect(),
        sizing: sizing(spec),
        boots_for,
        waits_for_address: vm.is_none()
            && refused.is_none()
            && spec.node_name.is_none()
            && pod.metadata.annotations.as_ref().is_some_and(|it| it.contains_key("CapacityProvisioned")),
        refused,
    })
}

/// A selector: a pod has to have all of it.
fn selector(it: &FargateSelector) -> String {
    let labels = it.labels.iter().map(|(key, value)| format!(" + {key}={value}"));
    std::iter::once(it.namespace.clone()).chain(labels).collect()
}

/// The micro-VM of a pod.
fn machine<'m>(moment: Moment<'m>, cluster: ClusterId, pod: &Pod) -> Option<&'m MicroVm> {
    let machines = moment.store.list::<Machine>(cluster, None);
    let uid = pod.metadata.uid.as_deref();
    machines.filter_map(|it| it.micro_vm.as_ref()).find(|vm| Some(vm.pod_uid.as_str()) == uid)
}
