//! May Services have addresses of a ServiceCIDR, and may it go?
//!
//! It goes when no address of it is taken that no other one holds, and then ten seconds later, so that every server knows of it.
//! Source: `pkg/controller/servicecidrs/servicecidrs_controller.go`.

use std::net::IpAddr;

use api::{ApiStatus, Kind, Object, SimDuration, Stored};
use ipnet::IpNet;
use serde_json::json;

use crate::{
    Change, Controller, Key, Next, Store, Turn,
    apiserver::addresses::{MANAGED_BY, blocks_of},
};

/// The controller.
pub(crate) struct ServiceCidrs;

const FINALIZER: &str = "networking.k8s.io/service-cidr-finalizer";

/// How long one that goes is still there. Source: `deletionGracePeriod`.
const GRACE: SimDuration = SimDuration::secs(10);

impl Controller for ServiceCidrs {
    fn name(&self) -> &'static str {
        "service-cidr-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let gives_back = change.key.kind == Kind::IPAddress && change.after.is_none();
        if gives_back || change.key.kind == Kind::ServiceCIDR {
            let all = store.objects(change.key.cluster, Kind::ServiceCIDR, None);
            all.for_each(|(key, _)| wake(key.clone()));
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(Object::Stored(range)) = turn.store().object(key).map(|it| (**it).clone()) else {
            return Ok(Next::Done);
        };
        let Some(since) = &range.metadata.deletion_timestamp else {
            return keep(turn, *range).map(|()| Next::Done);
        };
        if !may_go(turn, &range) {
            let why = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
            return say(turn, *range, "False", "Terminating", why).map(|()| Next::Done);
        }
        let passed = turn.stamp().0.as_second().saturating_sub(since.0.as_second());
        let left = GRACE.0.saturating_sub(passed.unsigned_abs() * 1000);
        if left > 0 {
            // Nobody waits for what only lets time pass.
            return Ok(Next::Every(SimDuration::millis(left)));
        }
        turn.take_finalizer(key, FINALIZER).map(|_| Next::Done)
    }
}

fn keep(turn: &mut Turn<'_>, mut range: Stored) -> Result<(), ApiStatus> {
    let finalizers = range.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|it| it == FINALIZER) {
        finalizers.push(FINALIZER.to_owned());
        turn.update_object(Object::Stored(Box::new(range)))?;
        // The change wakes it again.
        return Ok(());
    }
    say(turn, range, "True", "", "Kubernetes Service CIDR is ready")
}

fn say(turn: &mut Turn<'_>, mut range: Stored, is: &str, why: &str, message: &str) -> Result<(), ApiStatus> {
    let said = range.body.get("status").map(|status| &status["conditions"][0]);
    if said.is_some_and(|it| it["status"] == is && it["reason"] == why && it["message"] == message) {
        return Ok(());
    }
    let condition = json!({"type": "Ready", "status": is, "reason": why, "message": message,
        "lastTransitionTime": turn.stamp()});
    range.body.insert("status".to_owned(), json!({"conditions": [condition]}));
    turn.update_status_object(Object::Stored(Box::new(range))).map(drop)
}

/// Whether every address of it that is taken is one of another ServiceCIDR too.
fn may_go(turn: &Turn<'_>, range: &Stored) -> bool {
    let (store, cluster) = (turn.store(), turn.cluster());
    let own = range.metadata.name.as_deref().unwrap_or_default();
    let others = store.objects(cluster, Kind::ServiceCIDR, None).filter(|(key, _)| &*key.name != own);
    let others: Vec<IpNet> = others.flat_map(|(_, other)| blocks_of(other)).collect();
    let blocks = blocks_of(&Object::Stored(Box::new(range.clone())));
    if blocks.iter().all(|block| others.iter().any(|other| other.contains(block))) {
        return true;
    }
    let managed = store.objects(cluster, Kind::IPAddress, None).filter(|(_, address)| {
        let labels = address.meta().labels.as_ref();
        labels.and_then(|labels| labels.get(MANAGED_BY.0)).is_some_and(|by| by == MANAGED_BY.1)
    });
    let ips = managed.filter_map(|(key, _)| key.name.parse::<IpAddr>().ok());
    let holds = |blocks: &[IpNet], ip: &IpAddr| blocks.iter().any(|block| block.contains(ip));
    !ips.into_iter().any(|ip| holds(&blocks, &ip) && !holds(&others, &ip))
}
