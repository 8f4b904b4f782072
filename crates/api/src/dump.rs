//! What do Go's structs print of a pod template?
//!
//! A Deployment's and a DaemonSet's controllers name what they make by a hash over such a print ([`hash`]), so it has to be
//! right to the letter: each field with its type, unset ones too, and quantities as they are inside. Fields come with releases,
//! and with them other hashes. Controllers read protobuf, which tells no empty list from none.
//! MODEL: `creationTimestamp` and `managedFields` of a template, which nobody writes, are dumped as unset.
//! Source: go-spew `format.go` as `apimachinery/pkg/util/dump` sets it up; `ComputeHash` of `pkg/controller/controller_utils.go`;
//! `data/template-layout.txt`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Map, Value};

use md5::{Digest, Md5};

use crate::{
    k8s::core::v1::{EndpointPort, PodTemplateSpec},
    quantity,
    validate::Release,
};

static TEXT: &str = include_str!("../data/template-layout.txt");

static STRUCTS: LazyLock<BTreeMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(name, rest)| (name, fields(rest))).collect()
});

/// A field of a Go struct.
struct Field {
    name: &'static str,
    /// Its name in JSON; none for a struct set in.
    json: Option<String>,
    /// The type as Go names it here, without a package where it is a `v1`.
    of: &'static str,
    since: u32,
    before: u32,
}

/// The 32-bit FNV-1a hash of a template's dump, with what a count of collisions adds.
#[must_use]
pub fn hash(template: &PodTemplateSpec, collisions: Option<i32>, release: Release) -> u32 {
    let mut text = String::new();
    let template = serde_json::to_value(template).unwrap_or_default();
    Dump { text: &mut text, minor: release.minor }.value("PodTemplateSpec", Some(&template), true);
    // UPSTREAM: eight bytes are written for a number of four.
    let count = collisions.map(|count| u64::from(count.unsigned_abs()).to_le_bytes());
    let bytes = text.bytes().chain(count.into_iter().flatten());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// By what the ports of Endpoints are sorted: the MD5 of a port's dump. Source: `portsByHash` of `pkg/api/v1/endpoints/util.go`.
#[must_use]
pub fn order_of_port(port: &EndpointPort) -> [u8; 16] {
    let mut text = String::new();
    let port = serde_json::to_value(port).unwrap_or_default();
    Dump { text: &mut text, minor: NEWEST }.value("EndpointPort", Some(&port), true);
    Md5::digest(text).into()
}

fn fields(line: &'static str) -> Vec<Field> {
    let number = |text: Option<&str>, or| text.and_then(|text| text.parse().ok()).unwrap_or(or);
    let field = |word: &'static str| {
        let (word, before) = word.split_once('<').map_or((word, None), |(word, minor)| (word, Some(minor)));
        let (word, since) = word.split_once('@').map_or((word, None), |(word, minor)| (word, Some(minor)));
        let (name, of) = word.split_once(':').unwrap_or((word, "string"));
        let (name, json) =
            name.split_once('=').map_or_else(|| (name, small(name)), |(go, json)| (go, json.to_owned()));
        let (since, before) = (number(since, 0), number(before, u32::MAX));
        match name.strip_suffix('+') {
            Some(name) => Field { name, json: None, of: name, since, before },
            None => Field { name, json: Some(json), of, since, before },
        }
    };
    line.split(' ').map(field).collect()
}

/// A Go name as JSON usually has it: `httpGet` of `HTTPGet`.
fn small(name: &str) -> String {
    let capitals = name.bytes().take_while(u8::is_ascii_uppercase).count();
    let head = if capitals == name.len() || capitals == 1 { capitals } else { capitals - 1 };
    let (head, tail) = name.split_at(head);
    format!("{}{tail}", head.to_ascii_lowercase())
}

/// A type with its package, as `reflect` spells it.
fn spelled(of: &str) -> String {
    let at = of.rfind(['*', ']']).map_or(0, |at| at + 1);
    let (before, name) = of.split_at(at);
    let package = if name.starts_with(|c: char| c.is_ascii_uppercase()) { "v1." } else { "" };
    format!("{before}{package}{name}")
}

struct Dump<'t> {
    text: &'t mut String,
    minor: u32,
}

impl Dump<'_> {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A value of a type; `typed` where the type stands before it: not in lists and maps.
    fn value(&mut self, of: &str, value: Option<&Value>, typed: bool) {
        let value = value.filter(|it| !it.is_null());
        if typed {
            self.put(&format!("({})", spelled(of)));
        }
        match of {
            "bool" => self.put(if value == Some(&Value::Bool(true)) { "true" } else { "false" }),
            "int32" | "int64" => self.put(&value.and_then(Value::as_i64).unwrap_or(0).to_string()),
            "Time" => self.put("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"),
            "intstr.IntOrString" => {
                let number = value.and_then(Value::as_i64).unwrap_or(0);
                let text = value.and_then(Value::as_str);
                let (kind, text) = (u8::from(text.is_some()), text.unwrap_or_default());
                self.put(&format!(
                    "{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){text}}}"
                ));
            }
            "resource.Quantity" => {
                self.put(&quantity::dump(value.and_then(Value::as_str).unwrap_or_default()));
            }
            "ResourceList" => self.map("resource.Quantity", value.and_then(Value::as_object)),
            "map[string]string" => self.map("string", value.and_then(Value::as_object)),
            _ => match (of.strip_prefix('*'), of.strip_prefix("[]"), STRUCTS.get(of)) {
                (Some(_), _, _) if value.is_none() => self.put("<nil>"),
                (Some(of), _, _) => self.value(of, value, false),
                (_, Some(of), _) => self.list(of, value.and_then(Value::as_array)),
                (_, _, Some(fields)) => self.fields(fields, value),
                (None, None, None) => self.put(value.and_then(Value::as_str).unwrap_or_default()),
            },
        }
    }

    fn fields(&mut self, fields: &[Field], value: Option<&Value>) {
        let minor = self.minor.clamp(OLDEST, NEWEST);
        let there = fields.iter().filter(|it| (it.since..it.before).contains(&minor));
        self.put("{");
        for (at, field) in there.enumerate() {
            self.put(if at == 0 { "" } else { " " });
            self.put(field.name);
            self.put(":");
            let inner = match &field.json {
                Some(json) => value.and_then(|it| it.get(json)),
                None => value,
            };
            self.value(field.of, inner, true);
        }
        self.put("}");
    }

    fn list(&mut self, of: &str, list: Option<&Vec<Value>>) {
        let Some(list) = list.filter(|it| !it.is_empty() && of != "ManagedFieldsEntry") else {
            return self.put("<nil>");
        };
        for (at, value) in list.iter().enumerate() {
            self.put(if at == 0 { "[" } else { " " });
            self.value(of, Some(value), false);
        }
        self.put("]");
    }

    fn map(&mut self, of: &str, map: Option<&Map<String, Value>>) {
        let Some(map) = map.filter(|it| !it.is_empty()) else { return self.put("<nil>") };
        let sorted: BTreeMap<&String, &Value> = map.iter().collect();
        self.put("map[");
        for (at, (key, value)) in sorted.into_iter().enumerate() {
            self.put(if at == 0 { "" } else { " " });
            self.put(key);
            self.put(":");
            self.value(of, Some(value), false);
        }
        self.put("]");
    }
}

/// The releases that the table knows; others are taken for the nearest.
const OLDEST: u32 = 30;
const NEWEST: u32 = 36;

#[cfg(test)]
mod tests {
    use super::*;

    fn template(container: &Value) -> PodTemplateSpec {
        serde_json::from_value(serde_json::json!({"spec": {"containers": [container]}})).unwrap_or_default()
    }

    #[test]
    fn a_struct_is_printed_with_its_types_and_its_unset_fields() {
        let mut text = String::new();
        let port = serde_json::json!({"containerPort": 80});
        Dump { text: &mut text, minor: 34 }.value("*ContainerPort", Some(&port), true);
        assert_eq!(
            text,
            "(*v1.ContainerPort){Name:(string) HostPort:(int32)0 ContainerPort:(int32)80 Protocol:(v1.Protocol) HostIP:(string)}"
        );
    }

    #[test]
    fn a_quantity_is_printed_as_it_is_inside() {
        assert!(quantity::dump("100m").contains("{value:(int64)100 scale:(resource.Scale)-3}"));
        assert!(quantity::dump("8Gi").contains("{value:(int64)8589934592 scale:(resource.Scale)0}"));
        assert!(quantity::dump("8Gi").ends_with("s:(string) Format:(resource.Format)BinarySI}"));
        let large = "Dec:(*inf.Dec){unscaled:(big.Int){neg:(bool)false abs:(big.nat)[8568098291072368640 5960]} scale:(inf.Scale)9}";
        assert!(quantity::dump("100Ti").contains(large), "{}", quantity::dump("100Ti"));
    }

    #[test]
    fn an_empty_list_hashes_as_none_and_a_release_with_more_fields_otherwise() {
        let of = |container: Value, minor| hash(&template(&container), None, Release { minor, patch: 0 });
        let plain = || serde_json::json!({"name": "c"});
        assert_eq!(of(plain(), 34), of(serde_json::json!({"name": "c", "args": []}), 34));
        assert_ne!(of(plain(), 34), of(plain(), 33));
        assert_eq!(of(plain(), 36), of(plain(), 99), "the newest that is known");
    }
}
