//! What do the parts of the system say about an object?
//!
//! Events are ordinary objects. The same event again is the same object with a higher count: for the old recorder
//! when source, object, reason and message agree; for the scheduler's new recorder when all but the message does.
//! Source: client-go `tools/record/events_cache.go`, `tools/events/event_broadcaster.go`.

use api::{
    Kind, Object, Resource,
    k8s::core::v1::{Event, EventSeries, EventSource, ObjectReference},
    meta::{MicroTime, ObjectMeta},
};

use crate::{Turn, apiserver::names};

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

/// Records an event by the old recorder, which counts equal events.
pub(super) fn record(
    turn: &mut Turn<'_>,
    source: EventSource,
    about: ObjectReference,
    how: EventType,
    reason: &str,
    message: &str,
) {
    let uid = about.uid.clone().unwrap_or_default();
    let same = turn.store().events_about(turn.cluster(), &uid).find_map(|(_, object)| {
        let event = Event::of(object)?;
        let same = event.reason.as_deref() == Some(reason)
            && event.message.as_deref() == Some(message)
            && event.type_.as_deref() == Some(how.word())
            && event.source.as_ref() == Some(&source)
            && event.involved_object.field_path == about.field_path;
        same.then(|| event.clone())
    });
    let stamp = turn.stamp();
    if let Some(mut event) = same {
        event.count = Some(event.count.unwrap_or(1) + 1);
        event.last_timestamp = Some(stamp);
        turn.put(event.into_object());
        return;
    }
    let mut event = begin(turn, about, how, reason, message);
    event.count = Some(1);
    event.first_timestamp = Some(stamp.clone());
    event.last_timestamp = Some(stamp);
    event.reporting_component.clone_from(&source.component);
    event.reporting_instance = Some(source.host.clone().unwrap_or_default());
    event.source = Some(source);
    turn.put(event.into_object());
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

fn begin(turn: &Turn<'_>, about: ObjectReference, how: EventType, reason: &str, message: &str) -> Event {
    let world = turn.world();
    let revision = world.store().revision();
    // Upstream's names end in the nanosecond, so that they sort by time; the revision stands for what is below 1 ms.
    let millis = world.epoch().as_millisecond().saturating_add_unsigned(world.now().0);
    let nanos = i128::from(millis) * 1_000_000 + i128::from(revision % 1_000_000);
    let name = format!("{}.{nanos:x}", about.name.as_deref().unwrap_or_default());
    let namespace = about.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| "default".to_owned());
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
