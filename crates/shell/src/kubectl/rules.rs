//! How does kubectl show what somebody may do?
//!
//! Rules are broken down to one group, resource and verb each and put together again by resource, ordered by the text Go prints for them.
//! Source: component-helpers `auth/rbac/validation/policy_compact.go`, kubectl `pkg/util/rbac`.

use serde_json::Value;

use crate::kubectl::field::{list, word};

/// One line of a list of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    groups: Vec<String>,
    resources: Vec<String>,
    /// Names it is limited to.
    pub names: Vec<String>,
    /// Paths that are not resources.
    pub urls: Vec<String>,
    /// What may be done.
    pub verbs: Vec<String>,
}

impl Rule {
    /// `deployments.apps/scale`.
    pub(crate) fn resource(&self) -> String {
        let Some(resource) = self.resources.first() else { return String::new() };
        let (plain, part) = resource.split_once('/').map_or((resource.as_str(), None), |(r, p)| (r, Some(p)));
        let group = self.groups.first().filter(|g| !g.is_empty()).map_or(String::new(), |g| format!(".{g}"));
        let part = part.map_or(String::new(), |p| format!("/{p}"));
        format!("{plain}{group}{part}")
    }

    /// What the order goes by.
    fn key(&self) -> String {
        format!(
            "&PolicyRule{{Verbs:[{}],APIGroups:[{}],Resources:[{}],ResourceNames:[{}],NonResourceURLs:[{}],}}",
            self.verbs.join(" "),
            self.groups.join(" "),
            self.resources.join(" "),
            self.names.join(" "),
            self.urls.join(" ")
        )
    }
}

/// The rules as they are shown.
pub(crate) fn compact(rules: &[Value]) -> Vec<Rule> {
    let words = |rule: &Value, field: &str| list(rule, field).iter().map(word).collect::<Vec<_>>();
    let mut out: Vec<Rule> = Vec::new();
    for rule in rules {
        let verbs = words(rule, "verbs");
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                let mut names: Vec<Vec<String>> =
                    words(rule, "resourceNames").into_iter().map(|n| vec![n]).collect();
                if names.is_empty() {
                    names.push(Vec::new());
                }
                for verb in &verbs {
                    for names in &names {
                        let one = Rule {
                            groups: vec![group.clone()],
                            resources: vec![resource.clone()],
                            names: names.clone(),
                            ..Rule::default()
                        };
                        add(&mut out, one, verb);
                    }
                }
            }
        }
        for url in words(rule, "nonResourceURLs") {
            for verb in &verbs {
                // Paths are not put together.
                out.push(Rule { urls: vec![url.clone()], verbs: vec![verb.clone()], ..Rule::default() });
            }
        }
    }
    out.sort_by_key(Rule::key);
    out
}

fn add(out: &mut Vec<Rule>, rule: Rule, verb: &str) {
    let same = |r: &&mut Rule| {
        (&r.groups, &r.resources, &r.names, &r.urls)
            == (&rule.groups, &rule.resources, &rule.names, &rule.urls)
    };
    match out.iter_mut().find(same) {
        Some(known) if known.verbs.iter().any(|v| v == verb) => {}
        Some(known) => known.verbs.push(verb.to_owned()),
        None => out.push(Rule { verbs: vec![verb.to_owned()], ..rule }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn verbs_of_one_resource_stand_together_and_the_text_orders_the_lines() {
        let rules = [
            json!({"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get"]}),
            json!({"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]}),
            json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "get"]}),
            json!({"nonResourceURLs": ["/healthz"], "verbs": ["get"]}),
        ];
        let shown: Vec<String> = compact(&rules)
            .iter()
            .map(|r| format!("{} {} {}", r.resource(), r.urls.join(","), r.verbs.join(",")))
            .collect();
        assert_eq!(
            shown,
            ["pods  get,list", " /healthz get", "pods/log  get", "deployments.apps/scale  patch"]
        );
    }
}
