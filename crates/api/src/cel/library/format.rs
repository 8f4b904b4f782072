//! How must names and the like look?
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/format.go`.

use std::rc::Rc;

use super::{
    super::{eval::no_overload, value::Val},
    Answer, time,
};
use crate::validate::name;

const NAMES: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

fn known(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|it| *it == name)
}

pub(super) fn is_known(name: &str) -> bool {
    name.strip_prefix("format.").is_some_and(|name| name == "named" || known(name).is_some())
}

pub(super) fn make(name: &str, args: &[Val]) -> Answer {
    match (name, args) {
        ("format.named", [Val::Text(name)]) => {
            Ok(Val::Optional(known(name).map(|name| Rc::new(Val::Format(name)))))
        }
        (name, []) => {
            let found = name.strip_prefix("format.").and_then(known);
            found.map(Val::Format).ok_or_else(no_overload)
        }
        _ => Err(no_overload()),
    }
}

/// None if the text is right, else what is wrong with it.
pub(super) fn validate(format: &str, text: &str) -> Val {
    let one = |is: bool, words: &str| if is { Vec::new() } else { vec![words.to_owned()] };
    let wrong: Vec<String> = match format {
        "dns1123Label" => name::label_name(text, false),
        "dns1123Subdomain" => name::subdomain(text, false),
        "dns1035Label" => name::label_1035(text, false),
        "dns1123LabelPrefix" => name::label_name(text, true),
        "dns1123SubdomainPrefix" => name::subdomain(text, true),
        "dns1035LabelPrefix" => name::label_1035(text, true),
        "qualifiedName" => name::qualified(text),
        "labelValue" => name::label_value(text),
        "uri" => one(matches!(super::url::call("isURL", text), Ok(Val::Bool(true))), "invalid URI"),
        "uuid" => one(crate::custom::is_format("uuid", text), "does not match the UUID format"),
        "byte" => one(crate::custom::is_format("byte", text), "invalid base64"),
        "date" => one(time::date(text).is_some(), "invalid date"),
        _ => one(time::timestamp(text).is_some(), "invalid datetime"),
    };
    let list = || Val::list(wrong.iter().map(|words| Val::text(words)).collect());
    Val::Optional((!wrong.is_empty()).then(|| Rc::new(list())))
}
