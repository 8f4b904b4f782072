//! How far is this request, and what has each stage done?
//!
//! One request on its way through the stages. With [`Asked`] it tells what happens; without, as for the control
//! plane's own writes, it keeps quiet and costs nothing.

use std::rc::Rc;

use api::{ApiStatus, Kind, Object, meta::ManagedFieldsEntry};
use serde_json::Value;

use crate::{
    ActorId, Asked, ClusterId, Key, Principal, Turn, What, World,
    apiserver::{addresses, difference::difference},
    auth,
    request::{Passed, Refused, Stage},
};

/// One request on its way.
pub(crate) struct Call<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) cluster: ClusterId,
    pub(crate) dry_run: bool,
    pub(crate) actor: ActorId,
    cause: Option<u64>,
    stage: Stage,
    asked: Option<Asked>,
    seen: Option<Seen>,
    /// As whose the fields are noted that this writes; nobody's if empty.
    pub(crate) manager: String,
    /// The kind in the version in which it is spoken.
    pub(crate) spoken: Kind,
    /// Whether a patch is refused that leaves unknown fields.
    pub(crate) strict: bool,
    /// Whose the fields are after an apply that has been merged already.
    pub(crate) owners: Option<Vec<ManagedFieldsEntry>>,
}

/// The object as a stage left it, with its JSON form once that was needed.
struct Seen {
    object: Object,
    value: Option<Value>,
}

impl<'w> Call<'w> {
    /// A request from outside, which leaves a fact.
    pub(crate) fn asked(
        world: &'w mut World,
        actor: ActorId,
        cluster: ClusterId,
        asked: Asked,
        dry_run: bool,
    ) -> Self {
        Self {
            world,
            cluster,
            dry_run,
            actor,
            cause: None,
            stage: Stage::Authentication,
            asked: Some(asked),
            seen: None,
            manager: String::new(),
            spoken: Kind::EVERY[0],
            strict: false,
            owners: None,
        }
    }

    /// A write of the control plane itself.
    pub(crate) fn of_turn<'t>(turn: &'t mut Turn<'_>) -> Call<'t> {
        turn.call();
        Call {
            cluster: turn.cluster,
            actor: turn.actor,
            cause: turn.cause,
            world: &mut *turn.world,
            dry_run: false,
            stage: Stage::Authentication,
            asked: None,
            seen: None,
            manager: String::new(),
            spoken: Kind::EVERY[0],
            strict: false,
            owners: None,
        }
    }

    pub(crate) fn verb(&self) -> &'static str {
        self.asked.as_ref().map_or("", |asked| asked.verb)
    }

    /// Who asks; `None` for the control plane itself.
    pub(crate) fn who(&self) -> Option<&Principal> {
        self.asked.as_ref().map(|asked| &asked.who)
    }

    /// Whether stages are told.
    pub(crate) fn is_told(&self) -> bool {
        self.asked.is_some()
    }

    pub(crate) fn key(&self, kind: Kind, namespace: &str, name: &str) -> Key {
        Key::new(self.cluster, kind, namespace, name)
    }

    /// Comes to a stage, or to the next plugin of the same stage.
    pub(crate) fn enter(&mut self, stage: Stage, by: &'static str) {
        self.stage = stage;
        if let Some(asked) = &mut self.asked {
            asked.passed.push(Passed { stage, by, did: Vec::new(), changed: Vec::new() });
        }
    }

    /// Looks something up before the stage that comes next: what is missing there is missing in the store.
    pub(crate) fn look_up(&mut self) {
        self.stage = Stage::Storage;
    }

    /// Says who decided at this stage, once that is known.
    pub(crate) fn decided_by(&mut self, by: &'static str) {
        if let Some(passed) = self.asked.as_mut().and_then(|asked| asked.passed.last_mut()) {
            passed.by = by;
        }
    }

    /// Says what this stage saw.
    pub(crate) fn did(&mut self, what: &'static str, value: &str) {
        if let Some(passed) = self.asked.as_mut().and_then(|asked| asked.passed.last_mut()) {
            passed.did.push((what, value.to_owned()));
        }
    }

    /// Says what the next stage is compared with; nothing where nobody is told.
    pub(crate) fn see(&mut self, object: &Object) {
        self.seen = self.is_told().then(|| Seen { object: object.clone(), value: None });
    }

    /// Says which fields this stage changed since the last look, and looks again.
    pub(crate) fn changed(&mut self, after: &Object) {
        let passed = self.asked.as_mut().and_then(|asked| asked.passed.last_mut());
        let (Some(passed), Some(seen)) = (passed, &mut self.seen) else { return };
        if seen.object == *after {
            return;
        }
        let before = seen.value.take().unwrap_or_else(|| seen.object.to_value());
        let value = after.to_value();
        passed.changed.extend(difference(&before, &value));
        *seen = Seen { object: after.clone(), value: Some(value) };
    }

    /// Says whose its fields are: that is no stage's change.
    pub(crate) fn owned(&mut self, object: &Object) {
        if let Some(seen) = &mut self.seen {
            seen.object.meta_mut().managed_fields.clone_from(&object.meta().managed_fields);
        }
    }

    /// Whether whoever asks grants no more than they hold themselves.
    pub(crate) fn no_escalation(&self, object: &Object, old: Option<&Object>) -> Result<(), ApiStatus> {
        let Some(who) = self.who() else { return Ok(()) };
        auth::escalation::confirm(self.world.store(), self.cluster, who, object, old)
    }

    /// Says the object's name, once it has one.
    pub(crate) fn named(&mut self, name: &str) {
        if let Some(asked) = &mut self.asked {
            name.clone_into(&mut asked.name);
        }
    }

    /// Whether somebody outside the control plane asked for it, in words of their own.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    pub(crate) fn warn(&mut self, warning: &str) {
        // The server says the same thing once.
        if let Some(asked) = &mut self.asked
            && !asked.warnings.iter().any(|it| it == warning)
        {
            asked.warnings.push(warning.to_owned());
        }
    }

    pub(crate) fn refuse(&mut self, status: &ApiStatus) {
        let stage = self.stage;
        if let Some(asked) = &mut self.asked {
            let (code, reason, message) = (status.code, status.reason.clone(), status.message.clone());
            asked.refused = Some(Refused { stage, code, reason, message });
        }
    }

    /// Records the request, once: before its first write, so that the write can name it as its cause.
    pub(crate) fn record(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.cause = Some(self.world.fact(self.actor, self.cause, What::Asked(Rc::new(asked))));
        }
    }

    /// Writes, unless it is a dry run.
    pub(crate) fn write(&mut self, object: Object) -> Rc<Object> {
        self.enter(Stage::Storage, "");
        if self.dry_run {
            return Rc::new(object);
        }
        self.did("revision", &(self.world.store().revision() + 1).to_string());
        self.record();
        if let Object::Service(service) = &object {
            let key = self.key(Kind::Service, object.namespace(), object.name());
            addresses::keep(self, &key, Some(service));
        }
        self.world.put(self.actor, self.cause, self.cluster, object)
    }

    /// Removes, unless it is a dry run.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.enter(Stage::Storage, "");
        if !self.dry_run {
            self.record();
            if key.kind == Kind::Service {
                addresses::keep(self, key, None);
            }
            self.world.remove(self.actor, self.cause, key);
        }
    }
}
