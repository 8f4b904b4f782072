//! What did the API server do with a request, stage by stage?
//!
//! Every stage that such a request has is there: those it passed with what they saw and changed, the one that refused
//! it, and those it did not come to. All of it was recorded while the server decided; sentences are in `words`.

use std::rc::Rc;

use api::{Scope, SimTime};
use cluster::{
    Asked, Fact, What,
    request::{Edit, Passed, Stage},
};
use serde_json::Value;

/// How a stage came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It let the request go on.
    Passed,
    /// It refused it.
    Refused,
    /// It has nothing to do with such a request: what reads is not admitted.
    NotAsked,
    /// The request did not come so far.
    NotReached,
}

/// A rule of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Such as `create`, `*`.
    pub verbs: Vec<String>,
    /// Groups of the API; the core group has an empty name.
    pub groups: Vec<String>,
    /// Such as `pods`, `pods/log`.
    pub resources: Vec<String>,
    /// Only objects of these names; all of them if empty.
    pub names: Vec<String>,
}

/// The rule that allowed it, and how it came to whom it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `ClusterRoleBinding/name`, `RoleBinding/namespace/name`; empty where none was needed.
    pub binding: String,
    /// `ClusterRole/name`, `Role/namespace/name`.
    pub role: String,
    /// Such as `Group "dev"`.
    pub subject: String,
    /// The rule itself, where one was found.
    pub rule: Option<Rule>,
}

impl Grant {
    /// The binding without its kind.
    #[must_use]
    pub fn binding_name(&self) -> &str {
        self.binding.split_once('/').map_or(&self.binding, |(_, name)| name)
    }

    /// The role without its kind.
    #[must_use]
    pub fn role_name(&self) -> &str {
        self.role.split_once('/').map_or(&self.role, |(_, name)| name)
    }

    /// Such as Group `dev`; `code` is written as in Markdown.
    #[must_use]
    pub fn subject(&self) -> String {
        match self.subject.split_once(' ') {
            Some((kind, name)) => format!("{kind} `{}`", name.trim_matches('"')),
            None => self.subject.clone(),
        }
    }
}

/// What a stage says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing but its steps.
    Nothing,
    /// Whom the server took it to be: user, groups, and the authenticator that said so.
    Known(String, String, &'static str),
    /// As whom they may act: user and groups, and the rule.
    ActsAs(String, String, Option<Grant>),
    /// Who allowed it: the authorizer, and its rule where it has one.
    Allowed(&'static str, Option<Grant>),
    /// What they hold, none of which allows it: binding and role.
    Held(Vec<(String, String)>),
    /// How many fields the version's defaults filled in.
    Defaulted(usize),
    /// How many fields of the stored object the request changes.
    Changes(usize),
    /// Admission plugins that looked at it.
    Asked(usize),
    /// Written as this revision.
    Stored(String),
    /// Nothing differed: nothing was written.
    Unchanged,
    /// It is gone.
    Removed,
    /// Only read.
    Read,
    /// Everything but the write.
    DryRun,
}

/// A part of a stage: an admission plugin, or the stage itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The plugin; empty for the stage itself.
    pub by: &'static str,
    /// The fields it changed.
    pub changed: Vec<Edit>,
    /// What it warned of.
    pub warnings: Vec<String>,
    /// Whether it refused.
    pub refused: bool,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageView {
    /// Which.
    pub stage: Stage,
    /// How it came out.
    pub verdict: Verdict,
    /// What it says of itself.
    pub said: Said,
    /// Its parts, in the order in which they were asked.
    pub parts: Vec<Part>,
}

/// How the server refused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct No {
    /// The HTTP status.
    pub code: u16,
    /// Such as `Forbidden`.
    pub reason: String,
    /// The server's sentence.
    pub message: String,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// Number of its fact.
    pub seq: u64,
    /// When.
    pub at: SimTime,
    /// Who asked; empty if nobody could be identified.
    pub user: String,
    /// Such as `create`.
    pub verb: &'static str,
    /// Such as `POST`.
    pub method: &'static str,
    /// Such as `/api/v1/namespaces/default/pods`.
    pub path: String,
    /// Such as `Pod`.
    pub kind: &'static str,
    /// Name of the object; empty for a list.
    pub name: String,
    /// Its stages, in their order.
    pub stages: Vec<StageView>,
    /// The refusal, if it was refused.
    pub refused: Option<No>,
    /// What the server said beside its answer.
    pub warnings: Vec<String>,
    /// Its place among all requests so far, from 1, and how many there are.
    pub place: (usize, usize),
    /// The request before, the request after.
    pub turn: (Option<u64>, Option<u64>),
}

impl RequestView {
    /// The stage that refused it.
    #[must_use]
    pub fn stopped_at(&self) -> Option<Stage> {
        self.stages.iter().find(|it| it.verdict == Verdict::Refused).map(|it| it.stage)
    }
}

/// The stages in the order in which a request passes them.
const STAGES: [Stage; 8] = [
    Stage::Authentication,
    Stage::Impersonation,
    Stage::Authorization,
    Stage::Decoding,
    Stage::MutatingAdmission,
    Stage::Validation,
    Stage::ValidatingAdmission,
    Stage::Storage,
];

/// The request that is this fact.
#[must_use]
pub fn request<'f>(facts: impl Iterator<Item = &'f Rc<Fact>>, seq: u64) -> Option<RequestView> {
    let all: Vec<(&Fact, &Asked)> = facts
        .filter_map(|fact| match &fact.what {
            What::Asked(asked) => Some((&**fact, &**asked)),
            _ => None,
        })
        .collect();
    let at = all.iter().position(|(fact, _)| fact.seq == seq)?;
    let other = |index: Option<usize>| index.and_then(|i| all.get(i)).map(|(fact, _)| fact.seq);
    let (fact, asked) = all[at];
    let refused = asked.refused.as_ref();
    Some(RequestView {
        seq,
        at: fact.at,
        user: asked.who.user.clone(),
        verb: asked.verb,
        method: method(asked.verb),
        path: path(asked),
        kind: asked.kind.map_or("", |kind| kind.info().kind),
        name: asked.name.clone(),
        stages: STAGES.into_iter().filter_map(|it| stage(asked, it)).collect(),
        refused: refused.map(|it| No {
            code: it.code,
            reason: it.reason.clone(),
            message: it.message.clone(),
        }),
        warnings: asked.warnings.clone(),
        place: (at + 1, all.len()),
        turn: (other(at.checked_sub(1)), other(Some(at + 1))),
    })
}

/// The request among some facts that says most: the first that was refused, else the last that writes, else the last;
/// how many there are; and where it stopped.
#[must_use]
pub fn telling<'f>(facts: impl Iterator<Item = &'f Rc<Fact>>) -> Option<(u64, usize, Option<Stage>)> {
    let all: Vec<(u64, &Asked)> = facts
        .filter_map(|fact| match &fact.what {
            What::Asked(asked) => Some((fact.seq, &**asked)),
            _ => None,
        })
        .collect();
    let no = |asked: &Asked| asked.refused.as_ref().map(|it| it.stage).filter(|_| !is_missing(asked));
    let refused = all.iter().find(|(_, asked)| no(asked).is_some());
    let (seq, asked) = refused.or_else(|| all.iter().rfind(|(_, it)| writes(it.verb))).or(all.last())?;
    Some((*seq, all.len(), no(asked)))
}

/// How much a request says beside others: a refusal most, then what writes.
pub(super) fn weight(asked: &Asked) -> u8 {
    match asked.refused {
        Some(_) if !is_missing(asked) => 2,
        _ => u8::from(writes(asked.verb)),
    }
}

/// Whether it only found out that something is not there, as `kubectl apply` does before it creates.
fn is_missing(asked: &Asked) -> bool {
    asked.verb == "get" && asked.refused.as_ref().is_some_and(|it| it.code == 404)
}

fn writes(verb: &str) -> bool {
    !matches!(verb, "get" | "list")
}

fn method(verb: &str) -> &'static str {
    match verb {
        "create" => "POST",
        "update" => "PUT",
        "patch" => "PATCH",
        "delete" => "DELETE",
        _ => "GET",
    }
}

fn path(asked: &Asked) -> String {
    let Some(info) = asked.kind.map(api::Kind::info) else { return format!("/{}", asked.name) };
    let mut path = if info.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", info.group) };
    path.push_str(&format!("/{}", info.version));
    if info.scope == Scope::Namespaced && !asked.namespace.is_empty() {
        path.push_str(&format!("/namespaces/{}", asked.namespace));
    }
    path.push_str(&format!("/{}", info.plural));
    if !asked.name.is_empty() && (asked.verb != "create" || !asked.subresource.is_empty()) {
        path.push_str(&format!("/{}", asked.name));
    }
    if !asked.subresource.is_empty() {
        path.push_str(&format!("/{}", asked.subresource));
    }
    if asked.dry_run {
        path.push_str("?dryRun=All");
    }
    path
}

/// What became of one stage; nothing where such a request has no such stage.
fn stage(asked: &Asked, stage: Stage) -> Option<StageView> {
    let passed: Vec<&Passed> = asked.passed.iter().filter(|it| it.stage == stage).collect();
    let stopped = asked.refused.as_ref().map(|it| it.stage);
    let refused = stopped == Some(stage);
    let verdict = match stopped {
        Some(at) if at == stage => Verdict::Refused,
        // What was looked up in the store before anything else was refused there.
        _ if !passed.is_empty() => Verdict::Passed,
        Some(at) if at < stage => Verdict::NotReached,
        Some(_) | None => Verdict::NotAsked,
    };
    match stage {
        Stage::Impersonation if asked.who.real.is_none() => return None,
        Stage::Storage if verdict == Verdict::NotAsked => {
            let parts = Vec::new();
            return Some(StageView { stage, verdict: Verdict::Passed, said: Said::Unchanged, parts });
        }
        // A deletion has no body to be read; what reads has none either, and is not admitted.
        Stage::Decoding | Stage::Validation if !matches!(asked.verb, "create" | "update" | "patch") => {
            return None;
        }
        _ => {}
    }
    let last = passed.len().saturating_sub(1);
    let parts = passed.iter().enumerate().map(|(index, it)| Part {
        by: it.by,
        changed: it.changed.clone(),
        warnings: all(it, "warning").map(str::to_owned).collect(),
        refused: refused && index == last,
    });
    let parts = match stage {
        Stage::Authentication | Stage::Impersonation | Stage::Authorization | Stage::Storage => Vec::new(),
        Stage::Decoding | Stage::MutatingAdmission | Stage::Validation | Stage::ValidatingAdmission => {
            parts.collect()
        }
    };
    Some(StageView { stage, verdict, said: said(asked, stage, verdict, &passed), parts })
}

fn said(asked: &Asked, stage: Stage, verdict: Verdict, passed: &[&Passed]) -> Said {
    let Some(last) = passed.last() else { return Said::Nothing };
    let text = |what| one(last, what).to_owned();
    let edits: usize = passed.iter().map(|it| it.changed.len()).sum();
    match stage {
        Stage::Authentication if verdict == Verdict::Refused => Said::Nothing,
        Stage::Authentication => Said::Known(text("user"), text("groups"), last.by),
        Stage::Impersonation | Stage::Authorization if verdict == Verdict::Refused => {
            let held = all(last, "held").filter_map(|it| it.split_once(" → "));
            Said::Held(held.map(|(binding, role)| (binding.to_owned(), role.to_owned())).collect())
        }
        Stage::Impersonation => Said::ActsAs(text("user"), text("groups"), grant(last)),
        Stage::Authorization => Said::Allowed(last.by, grant(last)),
        Stage::Decoding if asked.verb == "create" => Said::Defaulted(edits),
        Stage::Decoding => Said::Changes(edits),
        Stage::MutatingAdmission | Stage::ValidatingAdmission => Said::Asked(passed.len()),
        Stage::Validation => Said::Nothing,
        Stage::Storage if verdict == Verdict::Refused => Said::Nothing,
        Stage::Storage if !writes(asked.verb) => Said::Read,
        Stage::Storage if asked.dry_run => Said::DryRun,
        Stage::Storage => match one(last, "revision") {
            "" => Said::Removed,
            revision => Said::Stored(revision.to_owned()),
        },
    }
}

fn all<'p>(passed: &'p Passed, what: &'static str) -> impl Iterator<Item = &'p str> {
    passed.did.iter().filter(move |(name, _)| *name == what).map(|(_, value)| value.as_str())
}

fn one<'p>(passed: &'p Passed, what: &'static str) -> &'p str {
    all(passed, what).next().unwrap_or_default()
}

fn grant(passed: &Passed) -> Option<Grant> {
    let text = |what| one(passed, what).to_owned();
    (!text("role").is_empty()).then(|| Grant {
        binding: text("binding"),
        role: text("role"),
        subject: text("subject"),
        rule: serde_json::from_str(one(passed, "rule")).ok().map(|rule: Value| {
            let list = |field: &str| {
                let items = rule[field].as_array().into_iter().flatten();
                items.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            Rule {
                verbs: list("verbs"),
                groups: list("apiGroups"),
                resources: list("resources"),
                names: list("resourceNames"),
            }
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;

    /// The request that says most of the last line, as `stage verdict` with the plugins of it.
    fn told(lines: &[&str]) -> RequestView {
        let scenario = crate::library::scenario("kind1").expect("a fixture");
        let mut session = Session::new(scenario, 4).expect("a session");
        let mut first = 0;
        for line in lines {
            first = session.facts().len();
            session.run_line(line);
        }
        let (seq, ..) = telling(session.facts().iter().skip(first)).expect("a request");
        request(session.facts().iter(), seq).expect("it")
    }

    fn stages(view: &RequestView) -> Vec<(Stage, Verdict)> {
        view.stages.iter().map(|it| (it.stage, it.verdict)).collect()
    }

    #[test]
    fn a_new_pod_passes_every_stage_and_each_plugin_says_what_it_changed() {
        let view = told(&["kubectl run web --image=registry.k8s.io/pause:3.10"]);
        assert_eq!((view.method, view.path.as_str()), ("POST", "/api/v1/namespaces/default/pods"));
        assert!(view.stages.iter().all(|it| it.verdict == Verdict::Passed));
        let changed = |by: &str| -> Vec<String> {
            let parts = view.stages.iter().flat_map(|it| &it.parts).filter(|it| it.by == by);
            parts.flat_map(|it| &it.changed).map(|edit| edit.field.clone()).collect()
        };
        assert_eq!(
            changed("ServiceAccount"),
            [
                "spec.containers[web].volumeMounts",
                "spec.serviceAccount",
                "spec.serviceAccountName",
                "spec.volumes"
            ]
        );
        assert_eq!(changed("DefaultTolerationSeconds"), ["spec.tolerations"]);
        assert_eq!(changed("Priority"), ["spec.preemptionPolicy", "spec.priority"]);
        assert!(matches!(view.stages.last().expect("a stage").said, Said::Stored(_)));
    }

    #[test]
    fn the_rule_that_allows_is_named_with_its_binding() {
        let view = told(&["kubectl run web --image=registry.k8s.io/pause:3.10"]);
        let Said::Allowed("RBAC", Some(grant)) = &view.stages[1].said else { panic!("{:?}", view.stages[1]) };
        assert_eq!(grant.binding, "ClusterRoleBinding/kubeadm:cluster-admins");
        assert_eq!(grant.role, "ClusterRole/cluster-admin");
        assert_eq!(grant.rule.as_ref().map(|rule| rule.verbs.join(" ")), Some("*".to_owned()));
    }

    #[test]
    fn who_has_no_rule_is_refused_after_the_impersonation() {
        let view = told(&["kubectl run web --image=registry.k8s.io/pause:3.10 --as=dev"]);
        assert_eq!(
            stages(&view)[..4],
            [
                (Stage::Authentication, Verdict::Passed),
                (Stage::Impersonation, Verdict::Passed),
                (Stage::Authorization, Verdict::Refused),
                (Stage::Decoding, Verdict::NotReached),
            ]
        );
        let Said::Held(held) = &view.stages[2].said else { panic!("{:?}", view.stages[2]) };
        assert!(held.iter().any(|(_, role)| role == "ClusterRole/system:discovery"), "{held:?}");
    }

    #[test]
    fn a_missing_account_stops_it_at_the_plugin_that_looks_for_it() {
        let line = r#"kubectl run web --image=registry.k8s.io/pause:3.10 --overrides='{"spec":{"serviceAccountName":"ghost"}}'"#;
        let view = told(&[line]);
        assert_eq!(view.stopped_at(), Some(Stage::MutatingAdmission));
        let refused = view.stages.iter().flat_map(|it| &it.parts).find(|it| it.refused).expect("a plugin");
        assert_eq!(refused.by, "ServiceAccount");
        assert_eq!(view.refused.expect("a no").code, 403);
    }

    #[test]
    fn what_is_looked_for_and_not_there_is_missing_in_the_store() {
        let view = told(&["kubectl get pod nobody"]);
        let verdicts = stages(&view);
        assert_eq!(verdicts.last(), Some(&(Stage::Storage, Verdict::Refused)));
        assert!(verdicts.contains(&(Stage::MutatingAdmission, Verdict::NotAsked)), "{verdicts:?}");
    }
}
