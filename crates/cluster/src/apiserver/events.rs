//! What do the parts of the system say about an object?
//!
//! Events are ordinary objects. The same event again is the same object with a higher count: for the old recorder
//! when its [correlator](super::recorder) says so; for the scheduler's new recorder when all but the message agrees.
//! Source: client-go `tools/record/events_cache.go`, `tools/events/event_broadcaster.go`.

use api::{
    Kind, Object, Resource, SimTime,
    k8s::core::v1::{Event, EventSeries, EventSource, ObjectReference},
    meta::{MicroTime, ObjectMeta},
};

use crate::{
    Turn,
    apiserver::{names, recorder::Said},
};

/// How an event is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// As it should be.
    Normal,
    /// Worth a look.
    Warning,
}

impl EventType {
    fn word(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

/// An object as events refer to it.
#[must_use]
pub fn reference(object: &Object) -> ObjectReference {
    let info = object.kind().info();
    let meta = object.meta();
    ObjectReference {
        api_version: Some(info.api_version()),
        kind: Some(info.kind.to_owned()),
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
        field_path: None,
    }
}

/// Records an event by the old recorder, which counts equal events, combines similar ones and drops what is too much.
pub(super) fn record(
    turn: &mut Turn<'_>,
    source: &EventSource,
    about: &ObjectReference,
    how: EventType,
    reason: &str,
    message: &str,
) {
    let (cluster, stamp) = (turn.cluster(), turn.stamp());
    let said = Said { type_: how.word(), reason, message };
    let at = (turn.now(), &stamp);
    let told = turn.world.recorders().correlate(cluster, source, about, said, at);
    if !told.passes {
        return;
    }
    turn.call();
    let namespace = namespace_of(about);
    let known = told.name.as_deref().and_then(|name| turn.get::<Event>(&namespace, name)).cloned();
    let mut event = known.unwrap_or_else(|| {
        let mut event = begin(turn, about.clone(), how, reason, message);
        if !told.is_combined() {
            event.reporting_component.clone_from(&source.component);
        }
        event.reporting_instance = Some(source.host.clone().unwrap_or_default());
        event.source = Some(source.clone());
        event
    });
    event.message = Some(told.message.clone());
    event.count = Some(told.count);
    event.first_timestamp = Some(told.first.clone());
    event.last_timestamp = Some(stamp);
    let written = turn.put(event.into_object());
    turn.world.recorders().named(cluster, source, about, &told, written.name());
}

/// Records an event by the scheduler's recorder, which makes a series of equal events.
pub(super) fn record_series(
    turn: &mut Turn<'_>,
    controller: &str,
    about: ObjectReference,
    how: EventType,
    action: &str,
    reason: &str,
    message: &str,
) {
    let uid = about.uid.clone().unwrap_or_default();
    let same = turn.store().events_about(turn.cluster(), &uid).find_map(|(_, object)| {
        let event = Event::of(object)?;
        let same = event.reason.as_deref() == Some(reason)
            && event.type_.as_deref() == Some(how.word())
            && event.action.as_deref() == Some(action)
            && event.reporting_component.as_deref() == Some(controller)
            && event.involved_object == about;
        same.then(|| event.clone())
    });
    let now = micro(turn);
    if let Some(mut event) = same {
        let count = event.series.as_ref().and_then(|series| series.count).unwrap_or(1);
        event.series = Some(EventSeries { count: Some(count + 1), last_observed_time: Some(now) });
        turn.put(event.into_object());
        return;
    }
    let mut event = begin(turn, about, how, reason, message);
    event.action = Some(action.to_owned());
    event.event_time = Some(now);
    event.reporting_component = Some(controller.to_owned());
    event.reporting_instance = Some(format!("{controller}-{}", host(turn)));
    event.source = Some(EventSource::default());
    turn.put(event.into_object());
}

/// MODEL: the control plane's machines have no names that anybody could see; a short word stands for them.
fn host(turn: &Turn<'_>) -> String {
    format!("ip-10-0-{}-1", turn.cluster().0)
}

fn micro(turn: &Turn<'_>) -> MicroTime {
    let world = turn.world();
    let millis = world.epoch().as_millisecond().saturating_add_unsigned(world.now().0);
    MicroTime(jiff::Timestamp::from_millisecond(millis).unwrap_or(world.epoch()))
}

/// Events about what has no namespace stand in `default`.
fn namespace_of(about: &ObjectReference) -> String {
    about.namespace.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned())
}

/// The end of an event's name: sixteen hexadecimal digits, as upstream's nanosecond has.
///
/// MODEL: kubectl sorts digits as numbers and letters as letters, so that upstream's names sort by time only by chance. These
/// have no letters, and always do; the revision stands for what is below a millisecond.
fn moment(now: SimTime, revision: u64) -> String {
    format!("18{:010}{:04}", now.0, revision % 10_000)
}

fn begin(turn: &Turn<'_>, about: ObjectReference, how: EventType, reason: &str, message: &str) -> Event {
    let world = turn.world();
    let name = format!(
        "{}.{}",
        about.name.as_deref().unwrap_or_default(),
        moment(world.now(), world.store().revision())
    );
    let namespace = namespace_of(&about);
    let key = turn.key(Kind::Event, &namespace, &name);
    Event {
        metadata: ObjectMeta {
            uid: Some(names::uid_of(world, &key)),
            name: Some(name),
            namespace: Some(namespace),
            creation_timestamp: Some(turn.stamp()),
            ..ObjectMeta::default()
        },
        involved_object: about,
        type_: Some(how.word().to_owned()),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_events_are_as_long_as_upstreams_and_sort_by_time() {
        let names = [(0, 7), (10_120, 9_998), (10_120, 9_999), (9_999_999, 10_000)]
            .map(|(now, it)| moment(SimTime(now), it));
        assert!(names.is_sorted() && names.iter().all(|it| it.len() == 16), "{names:?}");
    }
}
