//! What does a request ask for?
//!
//! Parameters by the service's names, and the filters of EC2's `Describe…`.

use std::fmt::Display;

use serde_json::Value;

use crate::{AwsError, cloud::refuse};

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
        for filter in self.value["Filters"].as_array().into_iter().flatten() {
            let name = filter["Name"].as_str().unwrap_or_default();
            let Some(has) = of(name) else {
                return Err(self.refuse("InvalidParameterValue", format!("The filter '{name}' is invalid")));
            };
            let wanted = filter["Values"].as_array().into_iter().flatten().filter_map(Value::as_str);
            passes &= wanted.into_iter().any(|wanted| has.iter().any(|value| alike(wanted, value)));
        }
        Ok(passes)
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
