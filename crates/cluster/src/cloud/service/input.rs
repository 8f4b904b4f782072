//! What does a request ask for?
//!
//! Parameters by the service's names, and the filters of EC2's `Describe…`.

use std::fmt::Display;

use api::{Resource, meta::ObjectMeta};
use serde_json::Value;

use crate::{AwsError, ClusterId, Store, cloud::refuse};

/// The parameters of one request.
pub(crate) struct Input<'r> {
    /// Such as `DescribeInstances`.
    pub action: &'static str,
    pub value: &'r Value,
}

impl Input<'_> {
    /// A text; empty if it is absent.
    pub fn text(&self, name: &str) -> String {
        self.value[name].as_str().unwrap_or_default().to_owned()
    }

    /// Several texts.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let all = self.value[name].as_array().into_iter().flatten();
        all.filter_map(|it| it.as_str().map(str::to_owned)).collect()
    }

    /// A refusal of this request.
    pub fn refuse(&self, code: &str, message: impl Into<String>) -> AwsError {
        refuse(self.action, code, message)
    }

    /// Whether something passes the filters: `of` gives the values that it has for a name, or nothing for a name that is no filter.
    ///
    /// Values of a filter are alternatives, filters add up; `*` and `?` stand for other letters.
    /// # Errors
    /// `InvalidParameterValue` for a filter that there is not.
    /// Source: EC2 user guide (list and filter your resources).
    pub fn passes(&self, of: impl Fn(&str) -> Option<Vec<String>>) -> Result<bool, AwsError> {
        let mut passes = true;
        // UPSTREAM: `DescribeNatGateways` has one in the singular.
        let all = ["Filters", "Filter"].into_iter().filter_map(|name| self.value[name].as_array());
        for filter in all.flatten() {
            let name = filter["Name"].as_str().unwrap_or_default();
            let Some(has) = of(name) else {
                return Err(self.refuse("InvalidParameterValue", format!("The filter '{name}' is invalid")));
            };
            let wanted = filter["Values"].as_array().into_iter().flatten().filter_map(Value::as_str);
            passes &= wanted.into_iter().any(|wanted| has.iter().any(|value| alike(wanted, value)));
        }
        Ok(passes)
    }

    /// The things that a request names by a parameter, or all, as far as they pass the filters; in the store's order.
    ///
    /// `unknown` is the code and the noun of what is not there. Every kind can be filtered by its tags.
    /// # Errors
    /// That code, or as [`Self::passes`].
    pub fn select<'s, R: Resource + 's>(
        &self,
        store: &'s Store,
        parameter: &str,
        unknown: (&str, &str),
        of: impl Fn(&R, &str) -> Option<Vec<String>>,
    ) -> Result<Vec<&'s R>, AwsError> {
        let ids = self.texts(parameter);
        let there = |id: &&String| store.get::<R>(ClusterId::WORLD, "", id).is_none();
        if let Some(id) = ids.iter().find(there) {
            let (code, noun) = unknown;
            return Err(self.refuse(code, absent(noun, id)));
        }
        let mut found = Vec::new();
        for it in store.list::<R>(ClusterId::WORLD, None) {
            let meta = it.meta();
            let wanted = ids.is_empty() || meta.name.as_ref().is_some_and(|name| ids.contains(name));
            if wanted & self.passes(|filter| of(it, filter).or_else(|| by_tag(meta, filter)))? {
                found.push(it);
            }
        }
        Ok(found)
    }

    /// Name and tags of something that a request makes.
    pub fn metadata(&self, name: &str) -> ObjectMeta {
        let given = self.value["TagSpecifications"].as_array().into_iter().flatten();
        let tags = given.flat_map(|it| it["Tags"].as_array().into_iter().flatten());
        let text = |tag: &Value, name: &str| tag[name].as_str().unwrap_or_default().to_owned();
        let tags: std::collections::BTreeMap<String, String> =
            tags.map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect();
        ObjectMeta {
            name: Some(name.to_owned()),
            labels: (!tags.is_empty()).then_some(tags),
            ..ObjectMeta::default()
        }
    }
}

/// EC2's sentence about an id that there is not. A NAT gateway has one of its own.
pub(super) fn absent(noun: &str, id: &str) -> String {
    match noun {
        "NAT gateway" => format!("NAT gateway {id} was not found"),
        noun => format!("The {noun} '{id}' does not exist"),
    }
}

/// The values that something's tags have for a filter; none if it asks for no tag.
fn by_tag(meta: &ObjectMeta, filter: &str) -> Option<Vec<String>> {
    let tags = meta.labels.clone().unwrap_or_default();
    match filter {
        "tag-key" => Some(tags.into_keys().collect()),
        other => Some(tags.get(other.strip_prefix("tag:")?).cloned().into_iter().collect()),
    }
}

/// The value of a filter.
pub(super) fn just(value: impl Display) -> Option<Vec<String>> {
    Some(vec![value.to_string()])
}

/// Whether a text is like a pattern of `*` and `?`.
pub(crate) fn alike(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // The star takes one letter more.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_add_up_and_their_values_are_alternatives() {
        let asks = |filters: Value| {
            let value = json!({ "Filters": filters });
            let input = Input { action: "DescribeSubnets", value: &value };
            input.passes(|name| match name {
                "vpc-id" => just("vpc-1"),
                "state" => just("available"),
                _ => None,
            })
        };
        assert_eq!(asks(json!([])), Ok(true));
        assert_eq!(asks(json!([{"Name": "vpc-id", "Values": ["vpc-2", "vpc-*"]}])), Ok(true));
        assert_eq!(
            asks(json!([{"Name": "vpc-id", "Values": ["vpc-1"]}, {"Name": "state", "Values": ["p"]}])),
            Ok(false)
        );
        let no = asks(json!([{"Name": "colour", "Values": ["red"]}])).expect_err("a refusal");
        assert_eq!(
            (no.code.as_str(), no.message.as_str()),
            ("InvalidParameterValue", "The filter 'colour' is invalid")
        );
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a?c", "abbc", false),
            ("*b*", "abc", true),
            ("a", "ab", false),
        ] {
            assert_eq!(alike(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
