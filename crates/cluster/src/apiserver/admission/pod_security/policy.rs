//! What do the labels of a namespace ask for?
//!
//! Source: `k8s.io/pod-security-admission`, `api/helpers.go`.

use std::collections::BTreeMap;

use api::Cause;

/// How strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Privileged,
    Baseline,
    Restricted,
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "privileged" => Some(Self::Privileged),
            "baseline" => Some(Self::Baseline),
            "restricted" => Some(Self::Restricted),
            _ => None,
        }
    }
}

/// As of which minor release; `None` is `latest`.
type Version = Option<u32>;

/// A level as of a version: `restricted:latest`, `baseline:v1.30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standard {
    pub(super) level: Level,
    pub(super) version: Version,
}

impl std::fmt::Display for Standard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.version {
            None => write!(out, "{level}:latest"),
            Some(minor) => write!(out, "{level}:v1.{minor}"),
        }
    }
}

/// The standards of a namespace that the lab acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) enforce: Standard,
    pub(super) warn: Standard,
    // Only whether it is there matters: what it finds goes to the audit log.
    audit: Standard,
}

impl Policy {
    /// Reads the labels; what cannot be read is taken as the strictest to enforce, and as nothing to warn or audit of.
    pub(super) fn of(labels: Option<&BTreeMap<String, String>>) -> (Self, Vec<Cause>) {
        let mut wrong = Vec::new();
        let mut read = |mode: &str| {
            let label = format!("pod-security.kubernetes.io/{mode}");
            let level = labels.and_then(|labels| labels.get(&label)).map(|text| {
                let level = Level::parse(text);
                if level.is_none() {
                    wrong.push(invalid(&label, text, "must be one of privileged, baseline, restricted"));
                }
                level
            });
            let label = format!("{label}-version");
            let version = labels.and_then(|labels| labels.get(&label)).map(|text| {
                let version = parse_version(text);
                if version.is_none() {
                    wrong.push(invalid(&label, text, "must be \"latest\" or \"v1.x\""));
                }
                version.flatten()
            });
            (level, version)
        };
        let said = [read("enforce"), read("audit"), read("warn")];
        let standard = |n: usize, unreadable: Level| Standard {
            level: said[n].0.map_or(Level::Privileged, |level| level.unwrap_or(unreadable)),
            version: said[n].1.flatten(),
        };
        let enforce = standard(0, Level::Restricted);
        let mut policy =
            Self { enforce, audit: standard(1, Level::Privileged), warn: standard(2, Level::Privileged) };
        let is_enforced = matches!(said[0].0, Some(Some(_)));
        if said[2].0.is_none() && is_enforced && enforce.level > policy.warn.level {
            policy.warn.level = enforce.level;
            if said[2].1.is_none() {
                policy.warn.version = enforce.version;
            }
        }
        (policy, wrong)
    }

    pub(super) fn is_privileged(&self) -> bool {
        [self.enforce, self.warn, self.audit].iter().all(|it| it.level == Level::Privileged)
    }
}

/// `latest` or a minor release; `None` if it is neither.
fn parse_version(text: &str) -> Option<Version> {
    if text == "latest" {
        return Some(None);
    }
    let minor = text.strip_prefix("v1.")?;
    let is_plain = minor.chars().all(|c| c.is_ascii_digit()) && (minor.len() == 1 || !minor.starts_with('0'));
    if is_plain { minor.parse().ok().map(Some) } else { None }
}

fn invalid(label: &str, value: &str, why: &str) -> Cause {
    Cause {
        reason: "FieldValueInvalid".to_owned(),
        message: format!("Invalid value: {value:?}: {why}"),
        field: format!("metadata.labels[{label}]"),
    }
}
