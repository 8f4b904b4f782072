//! How does an actor of the control plane write?
//!
//! Through the same stages as everybody else, as the part of the system that it is; it is known and allowed, so only
//! what can differ is asked: admission, validation, storage.

use std::rc::Rc;

use api::{
    ApiStatus, Object, Resource,
    k8s::core::v1::{EventSource, ObjectReference},
    meta::ObjectMeta,
    validate::Release,
};

use serde_json::Value;

use crate::{
    ApiVerb, Key, Propagation, Reply, Turn,
    apiserver::{Call, EventType, create, delete, events, subresource, update},
};

impl Turn<'_> {
    /// The release of the API server, which texts follow.
    pub(crate) fn release(&self) -> Release {
        super::release(self.world(), self.cluster())
    }

    /// Creates an object through the API server, in the namespace it names.
    /// # Errors
    /// The server's refusal: `AlreadyExists`, a namespace that is going, a quota.
    pub fn create(&mut self, object: impl Resource) -> Result<Rc<Object>, ApiStatus> {
        self.create_object(object.into_object())
    }

    /// Creates an object of any kind through the API server.
    /// # Errors
    /// As [`Turn::create`].
    pub fn create_object(&mut self, object: Object) -> Result<Rc<Object>, ApiStatus> {
        let namespace = object.namespace().to_owned();
        create::create(&mut Call::of_turn(self), &namespace, object)
    }

    /// Writes everything but the status.
    /// # Errors
    /// `NotFound`, or `Conflict` if the object changed since it was read.
    pub fn update(&mut self, object: impl Resource) -> Result<Rc<Object>, ApiStatus> {
        self.update_object(object.into_object())
    }

    /// Writes everything but the status of an object of any kind.
    /// # Errors
    /// As [`Turn::update`].
    pub(crate) fn update_object(&mut self, object: Object) -> Result<Rc<Object>, ApiStatus> {
        update::update(&mut Call::of_turn(self), "", object)
    }

    /// Writes the status alone.
    /// # Errors
    /// As [`Turn::update`].
    pub fn update_status(&mut self, object: impl Resource) -> Result<Rc<Object>, ApiStatus> {
        update::update(&mut Call::of_turn(self), "status", object.into_object())
    }

    /// Writes the status of an object of any kind.
    /// # Errors
    /// As [`Turn::update`].
    pub(crate) fn update_status_object(&mut self, object: Object) -> Result<Rc<Object>, ApiStatus> {
        update::update(&mut Call::of_turn(self), "status", object)
    }

    /// Writes what a signing request's approval may change.
    /// # Errors
    /// As [`Turn::update`].
    pub(crate) fn update_approval(&mut self, object: Object) -> Result<Rc<Object>, ApiStatus> {
        update::update(&mut Call::of_turn(self), "approval", object)
    }

    /// Changes everything but the status of an object that is there: what a patch does.
    /// # Errors
    /// `NotFound`, or what validation says.
    pub fn patch<R: Resource>(
        &mut self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut R),
    ) -> Result<Rc<Object>, ApiStatus> {
        let object = self.changed(namespace, name, change)?;
        update::update(&mut Call::of_turn(self), "", object)
    }

    /// Changes the status of an object that is there; `change` changes nothing else.
    /// # Errors
    /// As [`Turn::patch`].
    pub fn patch_status<R: Resource>(
        &mut self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut R),
    ) -> Result<Rc<Object>, ApiStatus> {
        let key = self.key(R::KIND, namespace, name);
        let found = self.store().object(&key).cloned();
        let old = found.ok_or_else(|| ApiStatus::not_found(R::KIND, name))?;
        let mut object = (*old).clone();
        if let Some(object) = R::of_mut(&mut object) {
            change(object);
        }
        update::own_status(&mut Call::of_turn(self), &old, object)
    }

    fn changed<R: Resource>(
        &self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut R),
    ) -> Result<Object, ApiStatus> {
        let found = self.get::<R>(namespace, name).ok_or_else(|| ApiStatus::not_found(R::KIND, name))?;
        let mut object = found.clone();
        change(&mut object);
        Ok(object.into_object())
    }

    /// Deletes; `grace` in seconds, `None` for the kind's own. A kubelet removes a pod for good with zero.
    /// # Errors
    /// `NotFound`.
    pub fn delete(&mut self, key: &Key, grace: Option<u64>) -> Result<Rc<Object>, ApiStatus> {
        self.delete_with(key, grace, Propagation::Background)
    }

    /// Deletes, and says what becomes of those it owns.
    /// # Errors
    /// `NotFound`.
    pub fn delete_with(
        &mut self,
        key: &Key,
        grace: Option<u64>,
        propagation: Propagation,
    ) -> Result<Rc<Object>, ApiStatus> {
        let call = &mut Call::of_turn(self);
        delete::delete(call, key.kind, &key.namespace, &key.name, grace, propagation)
    }

    /// Takes the finalizer of the namespace's own content.
    /// # Errors
    /// `NotFound`.
    pub(crate) fn finalize_namespace(&mut self, name: &str) -> Result<Rc<Object>, ApiStatus> {
        let object = self.changed("", name, |namespace: &mut api::k8s::core::v1::Namespace| {
            namespace.spec.get_or_insert_default().finalizers = None;
        })?;
        update::update(&mut Call::of_turn(self), "finalize", object)
    }

    /// Takes owners, by uid, off an object of any kind.
    /// # Errors
    /// `NotFound`.
    pub(crate) fn disown(&mut self, key: &Key, uids: &[String]) -> Result<Rc<Object>, ApiStatus> {
        self.patch_meta(key, |meta| {
            meta.owner_references.get_or_insert_default().retain(|owner| !uids.contains(&owner.uid));
            meta.owner_references.take_if(|owners| owners.is_empty());
        })
    }

    /// Takes a finalizer off an object of any kind; the last one lets it go.
    /// # Errors
    /// `NotFound`.
    pub(crate) fn take_finalizer(&mut self, key: &Key, finalizer: &str) -> Result<Rc<Object>, ApiStatus> {
        self.patch_meta(key, |meta| {
            meta.finalizers.get_or_insert_default().retain(|has| has != finalizer);
            meta.finalizers.take_if(|finalizers| finalizers.is_empty());
        })
    }

    fn patch_meta(
        &mut self,
        key: &Key,
        change: impl FnOnce(&mut ObjectMeta),
    ) -> Result<Rc<Object>, ApiStatus> {
        let found = self.store().object(key).ok_or_else(|| ApiStatus::not_found(key.kind, &key.name))?;
        let mut object = (**found).clone();
        change(object.meta_mut());
        update::update(&mut Call::of_turn(self), "", object)
    }

    /// Binds a pod to a node.
    /// # Errors
    /// `NotFound`, or `Conflict` if it has a node already.
    pub fn bind(&mut self, namespace: &str, pod: &str, node: &str) -> Result<Rc<Object>, ApiStatus> {
        subresource::bind(&mut Call::of_turn(self), namespace, pod, node)
    }

    /// Reads the `autoscaling/v1` Scale of an object, or writes it.
    /// # Errors
    /// `NotFound`, or that the kind has none.
    pub(crate) fn scale(&mut self, of: &Key, wanted: Option<Value>) -> Result<Value, ApiStatus> {
        let verb = wanted.map_or(ApiVerb::Get, ApiVerb::Update);
        let call = &mut Call::of_turn(self);
        match subresource::serve(call, of.kind, &of.namespace, &of.name, "scale", verb)? {
            Reply::Value(scale) => Ok(scale),
            Reply::Object(_) | Reply::List(_) => Ok(Value::Null),
        }
    }

    /// Says something about an object, in the name of this actor.
    pub fn event(&mut self, about: &Object, how: EventType, reason: &str, message: &str) {
        let source = EventSource { component: Some(self.actor().0.to_owned()), host: None };
        events::record(self, &source, &events::reference(about), how, reason, message);
    }

    /// Says something about an object, in the name of a component on a host: a kubelet on its node.
    /// `about` is made by [`reference`](crate::apiserver::reference); its field path may name a part, such as
    /// `spec.containers{web}`.
    pub fn event_from(
        &mut self,
        component: &str,
        host: &str,
        about: &ObjectReference,
        how: EventType,
        reason: &str,
        message: &str,
    ) {
        let host = (!host.is_empty()).then(|| host.to_owned());
        let source = EventSource { component: Some(component.to_owned()), host };
        events::record(self, &source, about, how, reason, message);
    }

    /// Says something in the way of `events.k8s.io`, as the scheduler does.
    pub fn event_series(
        &mut self,
        about: &Object,
        how: EventType,
        action: &str,
        reason: &str,
        message: &str,
    ) {
        let controller = self.actor().0;
        events::record_series(self, controller, events::reference(about), how, action, reason, message);
    }
}
