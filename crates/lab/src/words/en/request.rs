//! What each stage of a request did, in English.

use cluster::request::Stage;

use crate::view::request::{Grant, RequestView, Said, StageView, Verdict};

/// The name of a stage.
#[must_use]
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Authentication => "authentication",
        Stage::Impersonation => "impersonation",
        Stage::Authorization => "authorization",
        Stage::Decoding => "decoding, defaults",
        Stage::MutatingAdmission => "admission: mutating",
        Stage::Validation => "validation",
        Stage::ValidatingAdmission => "admission: validating",
        Stage::Storage => "etcd",
    }
}

/// What came of the whole request; `code` is written as in Markdown.
#[must_use]
pub fn request(view: &RequestView) -> String {
    match view.stopped_at() {
        None if matches!(view.verb, "get" | "list") => {
            "The API server knew who asked, found a rule, and read.".to_owned()
        }
        None => "The request passed every stage.".to_owned(),
        Some(Stage::Storage) if matches!(view.verb, "get" | "list") => {
            "Allowed, but there is no such object in etcd.".to_owned()
        }
        Some(Stage::Storage) => "Refused at the last stage, the store.".to_owned(),
        Some(at) => format!("Refused at **{}**: it never reached etcd.", stage(at)),
    }
}

/// What a stage says; empty where its parts say it all.
#[must_use]
pub fn said(view: &StageView) -> String {
    match &view.said {
        Said::Nothing if view.verdict == Verdict::Refused => match view.stage {
            Stage::Authentication => {
                "No authenticator knows this credential. Without an identity nobody asks for rights."
                    .to_owned()
            }
            Stage::Decoding => "The body cannot be read as an object of this kind.".to_owned(),
            Stage::Validation => "A field's value breaks a rule.".to_owned(),
            Stage::Impersonation
            | Stage::Authorization
            | Stage::MutatingAdmission
            | Stage::ValidatingAdmission
            | Stage::Storage => String::new(),
        },
        Said::Nothing if view.verdict == Verdict::NotAsked => match view.stage {
            Stage::MutatingAdmission | Stage::ValidatingAdmission => {
                "No plugin looks at this request.".to_owned()
            }
            _ => String::new(),
        },
        Said::Nothing if view.stage == Stage::Validation && view.verdict == Verdict::Passed => {
            "The server set what only it may set, and checked every field.".to_owned()
        }
        Said::Nothing => String::new(),
        Said::Known(user, groups, by) => {
            let groups = if groups.is_empty() { String::new() } else { format!(", groups `{groups}`") };
            format!("User `{user}`{groups}, {}.", proof(by))
        }
        Said::ActsAs(user, groups, grant) => {
            let groups = if groups.is_empty() { String::new() } else { format!(", groups `{groups}`") };
            format!("From here on it is a request of `{user}`{groups}.{}", by_rule(grant.as_ref()))
        }
        Said::Allowed("system:masters", _) => {
            "Group `system:masters` may do everything; RBAC is not asked.".to_owned()
        }
        Said::Allowed(by, None) => format!("The `{by}` authorizer allows it."),
        Said::Allowed(by, grant) => format!("`{by}` allows it.{}", by_rule(grant.as_ref())),
        Said::Held(all) if all.is_empty() => "No binding names this user or their groups.".to_owned(),
        Said::Held(all) => match all.len() {
            1 => "They hold one role, and no rule of it allows this.".to_owned(),
            count => format!("They hold {count} roles, and no rule of them allows this."),
        },
        Said::Defaulted(0) => "The body was read; there was no default to fill in.".to_owned(),
        Said::Defaulted(1) => "The body was read and one empty field got its default.".to_owned(),
        Said::Defaulted(count) => format!("The body was read and {count} empty fields got their defaults."),
        Said::Changes(0) => "Nothing differs from the stored object.".to_owned(),
        Said::Changes(1) => "It wants to change one field of the stored object.".to_owned(),
        Said::Changes(count) => format!("It wants to change {count} fields of the stored object."),
        Said::Asked(_) if view.verdict == Verdict::Refused => {
            let by = view.parts.iter().find(|part| part.refused).map_or("", |part| part.by);
            format!("The `{by}` plugin refuses.")
        }
        Said::Asked(count) => {
            let changed: usize = view.parts.iter().map(|part| part.changed.len()).sum();
            let plugins = if *count == 1 { "One plugin".to_owned() } else { format!("{count} plugins") };
            match (view.stage, changed) {
                (Stage::MutatingAdmission, 0) => format!("{plugins} looked and changed nothing."),
                (Stage::MutatingAdmission, 1) => format!("{plugins} looked and changed one field."),
                (Stage::MutatingAdmission, changed) => {
                    format!("{plugins} looked and changed {changed} fields.")
                }
                _ => format!("{plugins} had nothing against it."),
            }
        }
        Said::Stored(revision) => format!("Written as `resourceVersion: {revision}`."),
        Said::Unchanged => "Nothing differs, so nothing is written: `resourceVersion` stays.".to_owned(),
        Said::Removed => "The object is gone.".to_owned(),
        Said::Read => "Read only.".to_owned(),
        Said::DryRun => "A `dryRun`: everything but the write.".to_owned(),
    }
}

/// How the server came to know who asks.
fn proof(by: &str) -> &'static str {
    match by {
        "x509" => "by a client certificate",
        "tokenfile" => "by a token it was given",
        "serviceaccount" => "by the signature of a ServiceAccount token",
        "aws-iam-authenticator" => "by an IAM token",
        _ => "without a credential",
    }
}

fn by_rule(grant: Option<&Grant>) -> String {
    match grant {
        Some(grant) if grant.binding.is_empty() => format!(" A rule of role `{}`.", grant.role_name()),
        Some(grant) => format!(
            " A rule of role `{}`, which binding `{}` gives to {}.",
            grant.role_name(),
            grant.binding_name(),
            grant.subject()
        ),
        None => String::new(),
    }
}
