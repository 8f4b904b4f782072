//! What can be asked of the world, and what does it answer?
//!
//! One request by one principal, answered as the real service would.

use std::rc::Rc;

use api::{ApiStatus, Kind, Object};
use serde_json::Value;

use crate::{ClusterId, Key, Note, provision::Provision};

/// How a client shows who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// It shows nothing, or nothing that the server knows.
    #[default]
    Nothing,
    /// A client certificate, signed by the cluster's authority.
    Certificate,
    /// A token that the server was given with its owner's name.
    Token,
    /// A token that the server signed for a ServiceAccount.
    AccountToken,
    /// A token of `aws eks get-token`, behind which stands an IAM identity.
    IamToken,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// As the API server knows it: `kubernetes-admin`, `system:node:…`; empty if nobody could be identified.
    pub user: String,
    /// Such as `system:masters`.
    pub groups: Vec<String>,
    /// How it shows that.
    pub proof: Proof,
    /// Who really asks, where somebody acts as this one (`--as`).
    pub real: Option<Box<Principal>>,
}

impl Principal {
    /// The cluster's creator.
    #[must_use]
    pub fn admin() -> Self {
        Self {
            user: "kubernetes-admin".to_owned(),
            groups: vec!["system:masters".to_owned()],
            proof: Proof::Certificate,
            real: None,
        }
    }

    /// A part of the system itself.
    #[must_use]
    pub fn system(user: &str) -> Self {
        let groups = vec!["system:authenticated".to_owned()];
        Self { user: user.to_owned(), groups, proof: Proof::Certificate, real: None }
    }
}

/// One thing asked.
#[derive(Clone, Debug)]
pub enum Request {
    /// Of a Kubernetes API server.
    Api(ApiRequest),
    /// Of an AWS service.
    Aws(AwsRequest),
    /// Of a tool that makes or changes clusters and nodes: eksctl, kind, the lab itself.
    Provision(Provision),
}

/// One call of a Kubernetes API server.
#[derive(Clone, Debug)]
pub struct ApiRequest {
    /// Which cluster's.
    pub cluster: ClusterId,
    /// What to do.
    pub verb: ApiVerb,
    /// With which kind.
    pub kind: Kind,
    /// In which namespace; empty for kinds without one and for all namespaces.
    pub namespace: String,
    /// Which one; empty for lists and for generated names.
    pub name: String,
    /// Part of the object: empty, `status`, `scale`, `eviction`, `binding`.
    pub subresource: &'static str,
    /// Whether to do everything but the write.
    pub dry_run: bool,
    /// As whose the fields are noted that this writes: `kubectl-create`; nobody's if empty.
    pub manager: String,
    /// Whether a patch is refused that leaves fields which the kind does not have; otherwise they are warned of.
    pub strict: bool,
}

impl ApiRequest {
    /// A request about one object, or with an empty name about a list.
    #[must_use]
    pub fn new(cluster: ClusterId, verb: ApiVerb, kind: Kind, namespace: &str, name: &str) -> Self {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        let manager = String::new();
        Self { cluster, verb, kind, namespace, name, subresource: "", dry_run: false, manager, strict: false }
    }

    /// The same request about a part of the object.
    #[must_use]
    pub fn of(mut self, subresource: &'static str) -> Self {
        self.subresource = subresource;
        self
    }

    /// The same request by a field manager.
    #[must_use]
    pub fn by(mut self, manager: &str) -> Self {
        manager.clone_into(&mut self.manager);
        self
    }

    /// The same request without the write.
    #[must_use]
    pub fn dry(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

/// What to do with it.
#[derive(Clone, Debug)]
pub enum ApiVerb {
    /// Read one.
    Get,
    /// Read many.
    List {
        /// As `-l` gives it; empty for all.
        label_selector: String,
        /// As `--field-selector` gives it; empty for all.
        field_selector: String,
        /// Which part of it, and as of when.
        page: Page,
    },
    /// Make one, from its JSON form.
    Create(Value),
    /// Replace one.
    Update(Value),
    /// Change one.
    Patch(PatchKind, Value),
    /// Remove one.
    Delete {
        /// Seconds; `None` for the kind's own.
        grace: Option<u64>,
        /// What becomes of those it owns.
        propagation: Propagation,
    },
}

/// Which part of a list, and as of when: the parameters of a request as they are written. By default all, as of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// How many at most; 0 for all.
    pub limit: i64,
    /// `continue`: where the part before ended, as its answer says.
    pub token: String,
    /// `resourceVersion`.
    pub revision: String,
    /// `resourceVersionMatch`.
    pub matching: String,
}

/// A list, or a part of one.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// By namespace and name.
    pub items: Vec<Rc<Object>>,
    /// As of when.
    pub revision: u64,
    /// What to go on with; empty if this is the end.
    pub token: String,
    /// How many come after it, where no selector makes that unknown.
    pub remaining: Option<u64>,
}

/// How to read a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/strategic-merge-patch+json`.
    Strategic,
    /// `application/merge-patch+json`.
    Merge,
    /// `application/json-patch+json`.
    Json,
    /// `application/apply-patch+yaml`: the fields that the manager wants, whatever else there is.
    Apply {
        /// Whether to take over what others own.
        force: bool,
    },
}

/// What becomes of the objects that a deleted one owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They go afterwards.
    #[default]
    Background,
    /// They go first.
    Foreground,
    /// They stay, without an owner.
    Orphan,
}

/// One call of an AWS service.
#[derive(Clone, Debug)]
pub struct AwsRequest {
    /// `ec2` or `eks`.
    pub service: &'static str,
    /// Such as `StopInstances`.
    pub action: &'static str,
    /// Its parameters, in the service's own names.
    pub input: Value,
}

/// An answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// One object.
    Object(Rc<Object>),
    /// Many.
    List(List),
    /// What an AWS service answers, or what is no object of the store: a `Scale`, a review, a `Status`.
    Value(Value),
}

/// A no from AWS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("An error occurred ({code}) when calling the {operation} operation: {message}")]
pub struct AwsError {
    /// Such as `InsufficientFreeAddressesInSubnet`.
    pub code: String,
    /// Such as `StopInstances`.
    pub operation: String,
    /// The service's words.
    pub message: String,
}

impl AwsError {
    /// As it is remembered: which call was refused, and by which code.
    #[must_use]
    pub fn noted(&self, about: Key) -> Note {
        let detail = vec![("operation", self.operation.clone()), ("code", self.code.clone())];
        Note::Step { name: CALL_REFUSED, about, detail }
    }
}

/// The note of a call that an AWS service refused.
pub const CALL_REFUSED: &str = "CallRefused";

/// A no.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// By a Kubernetes API server.
    #[error(transparent)]
    Api(#[from] ApiStatus),
    /// By an AWS service.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// By the tool itself, in its own words.
    #[error("{0}")]
    Tool(String),
}

/// A stage of a request at the API server, in the order it is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Who is it?
    Authentication,
    /// May they act as somebody else?
    Impersonation,
    /// May they?
    Authorization,
    /// Is it what it says it is? With the defaults that its version fills in.
    Decoding,
    /// Changed on the way in.
    MutatingAdmission,
    /// Is it legal?
    Validation,
    /// Anything against it?
    ValidatingAdmission,
    /// Written.
    Storage,
}

/// What one stage did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Which stage.
    pub stage: Stage,
    /// Who decided: an authenticator, an authorizer or an admission plugin, by its upstream name.
    pub by: &'static str,
    /// What it saw or said, as data.
    pub did: Vec<(&'static str, String)>,
    /// The fields it changed.
    pub changed: Vec<Edit>,
}

/// A field that was changed on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Such as `spec.containers[web].imagePullPolicy`.
    pub field: String,
    /// What it was, as JSON in one line; none if it was not there.
    pub before: Option<String>,
    /// What it is now; none if it is gone.
    pub after: Option<String>,
}

/// A no to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it stopped.
    pub stage: Stage,
    /// The answer's HTTP status.
    pub code: u16,
    /// Such as `Forbidden`.
    pub reason: String,
    /// The server's sentence.
    pub message: String,
}

/// A request as it went.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asked.
    pub who: Principal,
    /// Such as `create`.
    pub verb: &'static str,
    /// What it was about.
    pub kind: Option<Kind>,
    /// In which namespace.
    pub namespace: String,
    /// Which one.
    pub name: String,
    /// Which part of it; empty for the object itself.
    pub subresource: &'static str,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The stages it passed.
    pub passed: Vec<Passed>,
    /// Where it stopped, and how the server says so.
    pub refused: Option<Refused>,
    /// What the server says beside its answer: `kubectl` prints `Warning: ` before each.
    pub warnings: Vec<String>,
}
