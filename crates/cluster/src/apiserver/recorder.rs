//! Which events get through, and as what?
//!
//! A recorder of the old kind knows what it said of an object. The same event again is the same object with a higher
//! count. From the tenth message of one reason within ten minutes on, all are one event whose message is the last. Of
//! one object a source may say 25 things at once, and then one every five minutes; what it may not say still counts.
//! Source: client-go `tools/record/events_cache.go` (`EventCorrelator`).

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use api::{
    SimDuration, SimTime,
    digest::Digest,
    k8s::core::v1::{EventSource, ObjectReference},
    meta::Time,
};
use imbl::{GenericOrdMap, shared_ptr::RcK};

use crate::{
    ClusterId,
    client::{Bucket, Rate},
};

/// So many messages of one reason are told one by one; the next is not.
const TOLD_APART: usize = 9;
/// After a silence of this length messages are told one by one again.
const SIMILAR_FOR: SimDuration = SimDuration::secs(600);
/// What one source may say of one object.
const SPAM: Rate = Rate { every: SimDuration::secs(300), burst: 25 };

/// What an event says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'e> {
    pub(super) type_: &'static str,
    pub(super) reason: &'e str,
    pub(super) message: &'e str,
}

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Correlated {
    /// The name of the event it is counted in; without one it is the first.
    pub(super) name: Option<Rc<str>>,
    /// How often it happened.
    pub(super) count: i32,
    /// Since when.
    pub(super) first: Time,
    /// What it says now.
    pub(super) message: String,
    /// Whether it reaches the API server.
    pub(super) passes: bool,
    of: Counted,
}

/// In what an event is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Alone { field_path: String, type_: &'static str, reason: String, message: String },
    Combined { type_: &'static str, reason: String },
}

#[derive(Clone, Debug)]
struct Logged {
    name: Option<Rc<str>>,
    count: i32,
    first: Time,
}

/// What one source remembers of one object.
#[derive(Clone, Debug)]
struct Memory {
    bucket: Bucket,
    similar: BTreeMap<(&'static str, String), (BTreeSet<String>, SimTime)>,
    logged: BTreeMap<Counted, Logged>,
}

/// Source and object: component, host, uid and name.
type Subject = (ClusterId, Rc<str>, Rc<str>, Rc<str>, Rc<str>);

/// The memory of every recorder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorders(GenericOrdMap<Subject, Rc<Memory>, RcK>);

fn subject(cluster: ClusterId, source: &EventSource, about: &ObjectReference) -> Subject {
    let word = |text: &Option<String>| Rc::from(text.as_deref().unwrap_or_default());
    (cluster, word(&source.component), word(&source.host), word(&about.uid), word(&about.name))
}

impl Correlated {
    /// Whether it stands for several messages.
    pub(super) fn is_combined(&self) -> bool {
        matches!(self.of, Counted::Combined { .. })
    }
}

impl Recorders {
    /// Takes note of an event, and says what becomes of it.
    pub(super) fn correlate(
        &mut self,
        cluster: ClusterId,
        source: &EventSource,
        about: &ObjectReference,
        said: Said<'_>,
        (now, stamp): (SimTime, &Time),
    ) -> Correlated {
        let fresh =
            || Memory { bucket: Bucket::new(SPAM, now), similar: BTreeMap::new(), logged: BTreeMap::new() };
        let memory = self.0.entry(subject(cluster, source, about)).or_insert_with(|| Rc::new(fresh()));
        let memory = Rc::make_mut(memory);
        let kind = (said.type_, said.reason.to_owned());
        let (messages, last) = memory.similar.entry(kind).or_insert_with(|| (BTreeSet::new(), now));
        if now.since(*last) > SIMILAR_FOR {
            messages.clear();
        }
        messages.insert(said.message.to_owned());
        *last = now;
        let (of, message) = if messages.len() > TOLD_APART {
            // Upstream drops any one of them, so that the next one is too many again.
            messages.pop_first();
            let of = Counted::Combined { type_: said.type_, reason: said.reason.to_owned() };
            (of, format!("(combined from similar events): {}", said.message))
        } else {
            let of = Counted::Alone {
                field_path: about.field_path.clone().unwrap_or_default(),
                type_: said.type_,
                reason: said.reason.to_owned(),
                message: said.message.to_owned(),
            };
            (of, said.message.to_owned())
        };
        let first = || Logged { name: None, count: 0, first: stamp.clone() };
        let logged = memory.logged.entry(of.clone()).or_insert_with(first);
        logged.count = logged.count.saturating_add(1);
        let logged = logged.clone();
        let passes = memory.bucket.try_take(now);
        Correlated { name: logged.name, count: logged.count, first: logged.first, message, passes, of }
    }

    /// The event is in the store, under this name.
    pub(super) fn named(
        &mut self,
        cluster: ClusterId,
        source: &EventSource,
        about: &ObjectReference,
        event: &Correlated,
        name: &str,
    ) {
        let memory = self.0.get_mut(&subject(cluster, source, about));
        if let Some(logged) = memory.and_then(|memory| Rc::make_mut(memory).logged.get_mut(&event.of)) {
            logged.name = Some(name.into());
        }
    }

    /// A process is gone, and what its recorder remembered.
    pub(crate) fn forget(&mut self, cluster: ClusterId, component: &str) {
        let others = self.0.iter().filter(|(of, _)| of.0 != cluster || *of.1 != *component);
        self.0 = others.map(|(of, it)| (of.clone(), it.clone())).collect();
    }

    /// A cluster is gone, with everybody who remembered anything.
    pub(crate) fn forget_cluster(&mut self, cluster: ClusterId) {
        self.0 = self
            .0
            .iter()
            .filter(|(of, _)| of.0 != cluster)
            .map(|(of, it)| (of.clone(), it.clone()))
            .collect();
    }

    /// Adds what decides about the next event, in order.
    pub(crate) fn digest(&self, digest: &mut Digest) {
        for ((cluster, component, host, uid, name), memory) in &self.0 {
            digest.number(u64::from(cluster.0));
            for word in [component, host, uid, name] {
                digest.bytes(word.as_bytes());
            }
            memory.bucket.digest(digest);
            for logged in memory.logged.values() {
                digest.number(u64::from(logged.count.unsigned_abs()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Recorder(Recorders);

    impl Recorder {
        fn says(&mut self, message: &str, seconds: u64) -> (String, i32, bool) {
            let (source, about) = (EventSource::default(), ObjectReference::default());
            let said = Said { type_: "Normal", reason: "SuccessfulCreate", message };
            let stamp = Time(jiff::Timestamp::UNIX_EPOCH);
            let at = (SimTime(seconds * 1000), &stamp);
            let event = self.0.correlate(ClusterId(1), &source, &about, said, at);
            (event.message, event.count, event.passes)
        }
    }

    #[test]
    fn the_same_event_again_only_counts() {
        let mut recorder = Recorder(Recorders::default());
        assert_eq!(recorder.says("a", 0), ("a".to_owned(), 1, true));
        assert_eq!(recorder.says("b", 1), ("b".to_owned(), 1, true));
        assert_eq!(recorder.says("a", 2), ("a".to_owned(), 2, true));
    }

    #[test]
    fn from_the_tenth_message_on_they_are_combined_until_ten_minutes_of_silence() {
        let mut recorder = Recorder(Recorders::default());
        for number in 1..=9 {
            assert_eq!(recorder.says(&number.to_string(), number), (number.to_string(), 1, true));
        }
        assert_eq!(recorder.says("10", 10), ("(combined from similar events): 10".to_owned(), 1, true));
        assert_eq!(recorder.says("11", 11), ("(combined from similar events): 11".to_owned(), 2, true));
        assert_eq!(recorder.says("12", 700), ("12".to_owned(), 1, true));
    }

    #[test]
    fn after_twenty_five_events_one_passes_every_five_minutes_and_all_count() {
        let mut recorder = Recorder(Recorders::default());
        assert_eq!((0..100).filter(|_| recorder.says("x", 0).2).count(), 25);
        assert_eq!(recorder.says("x", 299), ("x".to_owned(), 101, false));
        assert_eq!(recorder.says("x", 300), ("x".to_owned(), 102, true));
        assert_eq!(recorder.says("x", 301), ("x".to_owned(), 103, false));
    }
}
