//! What was there at a moment, in the form that checks ask about?
//!
//! A [`Snapshot`] starts from a world and is rolled forward by its facts, one at a time, so that a check can be asked
//! after every event. Objects appear in their JSON form, with the derived fields of [`super::derived`].

use std::rc::Rc;

use api::{Domain, Kind, SimTime};
use cluster::{
    ClusterId, Fact, Key, Note, Store, What, World,
    request::{CALL_REFUSED, Refused, Stage},
};
use imbl::{GenericOrdMap, GenericVector, shared_ptr::RcK};
use serde_json::{Value, json};

use super::{
    check::{Match, Subject, Topic},
    derived,
};

/// A Kubernetes Event, or a refusal by the API server or by an AWS service: the latter is about `aws/<operation>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Such as `FailedScheduling` or `RequestInvalid`.
    pub reason: String,
    /// `Normal` or `Warning`.
    pub kind: String,
    /// Kind of the object it is about.
    pub object_kind: String,
    /// Name of the object it is about.
    pub object_name: String,
}

impl Happening {
    /// Whether it is about `object`, written `Pod/waiter`, or `Pod/web-*` where a controller drew the rest of the name.
    #[must_use]
    pub fn is_about(&self, object: &str) -> bool {
        let named = |name: &str| match name.strip_suffix('*') {
            Some(beginning) => self.object_name.starts_with(beginning),
            None => name == self.object_name,
        };
        object
            .split_once('/')
            .is_some_and(|(kind, name)| kind.eq_ignore_ascii_case(&self.object_kind) && named(name))
    }
}

/// What was there at a moment.
#[derive(Clone)]
pub struct Snapshot {
    /// The moment.
    pub at: SimTime,
    /// All objects.
    pub store: Store,
    /// Events and refusals so far.
    pub events: GenericVector<Happening, RcK>,
    decisions: GenericVector<(String, Rc<Value>), RcK>,
    requests: GenericVector<(String, Rc<Value>), RcK>,
    values: GenericOrdMap<Key, Rc<Value>, RcK>,
    next: usize,
}

impl Snapshot {
    /// The world as it is now; what happened before does not count.
    #[must_use]
    pub fn of(world: &World) -> Self {
        Self {
            at: world.now(),
            store: world.store().clone(),
            events: GenericVector::new(),
            decisions: GenericVector::new(),
            requests: GenericVector::new(),
            values: world
                .store()
                .iter()
                .map(|(key, object)| (key.clone(), Rc::new(object.to_value())))
                .collect(),
            next: world.facts().len(),
        }
    }

    /// Number of the next fact to take.
    #[must_use]
    pub fn next(&self) -> usize {
        self.next
    }

    /// Rolls one fact forward; what a check could see of it.
    pub fn take(&mut self, fact: &Fact) -> Option<Topic> {
        self.next += 1;
        self.at = self.at.max(fact.at);
        match &fact.what {
            What::Changed(change) => {
                self.store.replay(change);
                match &change.after {
                    Some(object) => {
                        let value = Rc::new(object.to_value());
                        if change.key.kind == Kind::Event {
                            self.events.push_back(happening(&value));
                        }
                        self.values.insert(change.key.clone(), value);
                    }
                    None => {
                        self.values.remove(&change.key);
                    }
                }
                Some(if change.key.kind == Kind::Event {
                    Topic::Events
                } else {
                    Topic::Kind(change.key.kind)
                })
            }
            What::Asked(asked) => {
                let kind = asked.kind.map_or("", |kind| kind.info().kind);
                let rejected = asked.refused.as_ref();
                if let Some(Refused { stage, .. }) = rejected {
                    self.events.push_back(Happening {
                        reason: refusal(*stage).to_owned(),
                        kind: "Warning".to_owned(),
                        object_kind: kind.to_owned(),
                        object_name: asked.name.clone(),
                    });
                }
                let value = json!({
                    "verb": asked.verb, "user": asked.who.user,
                    "resource": asked.kind.map_or("", |kind| kind.info().plural),
                    "namespace": asked.namespace, "name": asked.name,
                    "rejectedAt": rejected.map(|it| door(it.stage)),
                    "message": rejected.map(|it| &it.message),
                });
                self.requests.push_back((format!("sim/Request {} {kind}", asked.verb), Rc::new(value)));
                Some(if rejected.is_some() { Topic::Events } else { Topic::Requests })
            }
            // A pod behind a gate was not attempted: nobody looked for a node.
            What::Decided(decision) if decision.outcome == scheduler::Outcome::Gated => None,
            What::Decided(decision) => {
                let per_node: Vec<Value> = decision
                    .nodes
                    .iter()
                    .map(|it| {
                        let filter = it.rejected.as_ref().map(
                            |refusal| json!({"plugin": refusal.plugin, "reason": refusal.reasons.join(", ")}),
                        );
                        json!({"node": it.node, "filter": filter, "score": it.total})
                    })
                    .collect();
                let value = json!({
                    "pod": decision.pod, "picked": decision.node, "perNode": per_node,
                    "reasons": decision.message, "ties": decision.ties,
                });
                self.decisions.push_back((format!("sim/Decision {}", decision.pod), Rc::new(value)));
                Some(Topic::Decisions)
            }
            What::Noted(Note::Step { name: CALL_REFUSED, detail, .. }) => {
                let said = |what: &str| detail.iter().find(|it| it.0 == what).map(|it| it.1.clone());
                self.events.push_back(Happening {
                    reason: said("code").unwrap_or_default(),
                    kind: "Warning".to_owned(),
                    object_kind: "aws".to_owned(),
                    object_name: said("operation").unwrap_or_default(),
                });
                Some(Topic::Events)
            }
            What::Traced(_) | What::Planned(_) | What::Noted(_) => None,
        }
    }

    /// The cluster that lessons speak of: the first of this world.
    #[must_use]
    pub fn cluster(&self) -> ClusterId {
        self.store
            .objects(ClusterId::WORLD, Kind::ControlPlane, None)
            .filter_map(|(_, object)| object.get::<api::kinds::sim::ControlPlane>())
            .map(|plane| ClusterId(plane.id))
            .min()
            .unwrap_or(ClusterId(1))
    }

    /// Everything that `of` looks at, by name, with the fields it asks for.
    pub fn candidates<'s>(&'s self, of: &'s Match) -> Box<dyn Iterator<Item = (String, Rc<Value>)> + 's> {
        match of.subject {
            Subject::Decision => Box::new(self.decisions.iter().cloned()),
            Subject::Request => Box::new(self.requests.iter().cloned()),
            Subject::Kind(kind) => {
                let namespace = (!of.namespace.is_empty()).then_some(of.namespace.as_str());
                Box::new(self.store.objects(self.cluster(), kind, namespace).filter_map(
                    move |(key, object)| {
                        let value = self.values.get(key)?;
                        let value = derived::add(self, object, value, &of.body);
                        Some((label(key), value))
                    },
                ))
            }
        }
    }
}

/// An object's name as lessons write it: `Pod/web-1`, `aws/Subnet/private-a`.
fn label(key: &Key) -> String {
    let word = Subject::Kind(key.kind).word();
    match (key.kind.info().domain(), &*key.namespace) {
        (Domain::Kubernetes, "" | "default") | (Domain::Aws | Domain::Eks | Domain::Sim, _) => {
            format!("{word}/{}", key.name)
        }
        (Domain::Kubernetes, namespace) => format!("{word}/{namespace}/{}", key.name),
    }
}

fn happening(event: &Value) -> Happening {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Happening {
        reason: text("/reason"),
        kind: text("/type"),
        object_kind: text("/involvedObject/kind"),
        object_name: text("/involvedObject/name"),
    }
}

/// The API server's reason for a refusal at `stage`, after `Request`.
fn refusal(stage: Stage) -> &'static str {
    match stage {
        Stage::Authentication => "RequestUnauthorized",
        Stage::Impersonation
        | Stage::Authorization
        | Stage::MutatingAdmission
        | Stage::ValidatingAdmission => "RequestForbidden",
        Stage::Decoding => "RequestBadRequest",
        Stage::Validation => "RequestInvalid",
        Stage::Storage => "RequestConflict",
    }
}

/// The door that a request did not pass, as lessons name it.
fn door(stage: Stage) -> &'static str {
    match stage {
        Stage::Authentication => "authn",
        Stage::Impersonation | Stage::Authorization => "authz",
        Stage::Decoding => "decoding",
        Stage::Validation => "validation",
        Stage::MutatingAdmission | Stage::ValidatingAdmission => "admission",
        Stage::Storage => "storage",
    }
}
