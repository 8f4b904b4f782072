//! How does a container get its image?
//!
//! As its pull policy says; a pull that failed is tried again after a wait, and until then every look at the pod says so.
//! A node of kind pulls one image after another; one of EKS pulls them together.
//! Source: kubelet `pkg/kubelet/images/image_manager.go` (`EnsureImageExists`), `puller.go`; containerd
//! `core/remotes/docker`; awslabs/amazon-eks-ami `nodeadm/internal/kubelet/config.go` (`serializeImagePulls: false`).

use std::borrow::Cow;

use api::{
    Resource, SimDuration,
    k8s::core::v1::Secret,
    kinds::sim::{ContainerStep, Machine},
};

use super::{back_off, container::Pass, container::go_duration, image, say, status::waiting};
use crate::{
    EventType::{Normal, Warning},
    node::image_list,
};

impl Pass<'_, '_> {
    /// Has the image brought, or finds it there, or finds why it cannot be had.
    pub(super) fn ensure_image(&mut self, at: usize) {
        let now = self.turn.now();
        let container = self.container(at);
        let named = container.image.clone().unwrap_or_default();
        if let Some(why) = image::malformed(&named) {
            let message = format!(
                "Failed to apply default image tag {named:?}: couldn't parse image name {named:?}: {why}"
            );
            self.say(at, Warning, "InspectFailed", &message);
            return self.no_image(at, "InvalidImageName", message);
        }
        let there = self.machine.images.contains(&named);
        if self.machine.played_at_once && image::refusal(&named, &self.image(&container)).is_none() {
            return self.found(at, &named);
        }
        match (container.image_pull_policy.as_deref().unwrap_or("IfNotPresent"), there) {
            ("Never", false) => {
                let message = format!("Container image {named:?} is not present with pull policy of Never");
                self.say(at, Warning, "ErrImageNeverPull", &message);
                self.no_image(at, "ErrImageNeverPull", message);
            }
            ("Always", _) | (_, false) => {
                let entry = self.sandbox.containers[at].pull;
                let lasts = entry.is_some_and(|it| back_off::lasting(entry, it.since, now).is_some());
                if lasts {
                    return self.backs_off(at, &named);
                }
                self.secrets_of_pulls();
                self.say(at, Normal, "Pulling", &format!("Pulling image {named:?}"));
                let takes = self.queue(at) + image::pull_time(&self.image(&container));
                self.enter(at, ContainerStep::Pulling, Some(takes));
            }
            (_, true) => self.found(at, &named),
        }
    }

    fn found(&mut self, at: usize, named: &str) {
        self.say(at, Normal, "Pulled", &format!("Container image {named:?} already present on machine"));
        self.create(at);
    }

    /// How long a pull waits for those before it on its node.
    fn queue(&self, at: usize) -> SimDuration {
        let now = self.turn.now();
        if self.machine.instance.is_some() || self.machine.played {
            return SimDuration::ZERO;
        }
        let own = self.sandbox.metadata.name.as_ref();
        let others = self.turn.store().sandboxes_on(self.turn.cluster(), &self.sandbox.node);
        let others = others.filter(|it| it.metadata.name.as_ref() != own);
        let works = others.flat_map(|it| &it.containers);
        let works = works
            .chain(self.sandbox.containers.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, it)| it));
        let pulling = works.filter(|it| it.step == ContainerStep::Pulling).filter_map(|it| it.due);
        pulling.max().unwrap_or(now).since(now)
    }

    /// Secrets of the pod that are not there are said, and done without.
    /// Source: `kubelet_pods.go` (`getPullSecretsForPod`).
    fn secrets_of_pulls(&mut self) {
        let (namespace, _) = super::names(self.pod);
        let named = self.pod.spec.iter().flat_map(|spec| spec.image_pull_secrets.iter().flatten());
        let missing: Vec<String> = named
            .map(|it| it.name.clone())
            .filter(|name| !name.is_empty() && self.turn.get::<Secret>(namespace, name).is_none())
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
                missing.join(", ")
            );
            say(self.turn, self.pod, None, Warning, "FailedToRetrieveImagePullSecret", &message);
        }
    }

    pub(super) fn pulled(&mut self, at: usize) {
        let now = self.turn.now();
        let named = self.container(at).image.unwrap_or_default();
        let image = image::of(self.turn.store(), &named);
        if let Some(why) = image::refusal(&named, &image) {
            return self.pull_failed(at, &named, why);
        }
        let took = go_duration(image::pull_time(&image));
        let all = go_duration(now.since(self.sandbox.containers[at].since));
        let message = format!(
            "Successfully pulled image {named:?} in {took} ({all} including waiting). Image size: {} bytes.",
            image.size
        );
        self.say(at, Normal, "Pulled", &message);
        self.remember_image(&named);
        self.create(at);
    }

    fn remember_image(&mut self, named: &str) {
        let name = self.machine.metadata.name.clone().unwrap_or_default();
        let known = |machine: &&Machine| machine.images.iter().any(|image| image == named);
        let Some(mut machine) = self.turn.get::<Machine>("", &name).filter(|m| !known(m)).cloned() else {
            return;
        };
        machine.images.push(named.to_owned());
        machine.images.sort_unstable();
        image_list::changed(self.turn, &mut machine);
        self.machine = Cow::Owned(machine.clone());
        self.turn.put(machine.into_object());
    }

    fn pull_failed(&mut self, at: usize, named: &str, why: String) {
        let now = self.turn.now();
        self.say(at, Warning, "Failed", &format!("Failed to pull image {named:?}: {why}"));
        self.say(at, Warning, "Failed", "Error: ErrImagePull");
        self.edit(at, |s| wait_as(s, "ErrImagePull", why.clone()));
        // MODEL: news of the sandbox came while the first pull went on, so that the next look follows at once; looks for
        // other reasons are not counted.
        let work = &self.sandbox.containers[at];
        let first = work.pull.is_none();
        let wait = if first { SimDuration::secs(1) } else { self.until_next_sync(at) };
        let work = &mut self.sandbox.containers[at];
        work.pull = Some(back_off::longer(work.pull, now, now));
        work.pull_error = why;
        self.enter(at, ContainerStep::PullBackOff, Some(wait));
    }

    fn backs_off(&mut self, at: usize, named: &str) {
        let message = format!("Back-off pulling image {named:?}");
        self.say(at, Normal, "BackOff", &message);
        let why = format!("{message}: ErrImagePull: {}", self.sandbox.containers[at].pull_error);
        self.no_image(at, "ImagePullBackOff", why);
    }

    /// The container waits for an image that cannot be had now.
    fn no_image(&mut self, at: usize, reason: &str, message: String) {
        self.say(at, Warning, "Failed", &format!("Error: {reason}"));
        self.edit(at, |s| wait_as(s, reason, message));
        let wait = (!self.machine.played).then(|| self.until_next_sync(at));
        self.enter(at, ContainerStep::PullBackOff, wait);
    }
}

/// A container waits; how it ended before is kept.
pub(super) fn wait_as(status: &mut api::k8s::core::v1::ContainerStatus, reason: &str, message: String) {
    if status.state.as_ref().is_some_and(|state| state.terminated.is_some()) {
        status.last_state.clone_from(&status.state);
    }
    status.state = Some(waiting(reason, (!message.is_empty()).then_some(message)));
}
