//! How is a check read from a lesson's words?

use api::{Domain, FieldPath, Kind, Scope};
use regex::Regex;
use serde_json::Value;

use super::{Check, Match, Op, PathSpec, Pattern, Ref, Subject, known, pattern::plain};
use crate::lesson::fields::{Errors, Fields, type_name};

const VERBS: &[&str] =
    &["exists", "absent", "count", "path", "event", "did", "answered", "equal", "all", "any", "not"];
const OPERATORS: &[&str] = &[
    "$gt", "$gte", "$lt", "$lte", "$ne", "$in", "$nin", "$re", "$absent", "$present", "$len", "$only",
    "$each", "$cidr", "$ref",
];

impl Check {
    /// Reads a check; nothing, with errors, if it cannot be understood.
    pub fn read(value: &Value, path: &FieldPath, errors: &mut Errors) -> Option<Check> {
        let Value::Object(map) = value else {
            errors.push(path, format!("expected a check, found {}", type_name(value)));
            return None;
        };
        let mut entries = map.iter();
        let (Some((verb, body)), None) = (entries.next(), entries.next()) else {
            errors.push(path, format!("a check has one verb; here are {}", map.len()));
            return None;
        };
        let at = path.field(verb);
        match verb.as_str() {
            "exists" => Match::read(body, &at, errors).map(Check::Exists),
            "absent" => Match::read(body, &at, errors).map(Check::Absent),
            "count" => count(body, &at, errors),
            "path" => path_spec(body, &at, errors).map(|spec| Check::Path(Box::new(spec))),
            "event" => {
                let mut fields = Fields::open(body, &at, errors)?;
                let reason = fields.text("reason", errors);
                let about = fields.maybe_text("about", errors);
                let kind = fields.maybe_text("type", errors);
                fields.close(errors);
                Some(Check::Event { reason, about, kind })
            }
            "did" => {
                let mut fields = Fields::open(body, &at, errors)?;
                let action = fields.text("action", errors);
                let since = fields.maybe_text("since", errors);
                let with: Option<Vec<_>> = fields
                    .rest()
                    .map(|(name, value)| Some((name.clone(), Pattern::read(value, &at.field(name), errors)?)))
                    .collect();
                Some(Check::Did { action, with: with?, since })
            }
            "answered" => {
                let mut fields = Fields::open(body, &at, errors)?;
                let id = fields.text("id", errors);
                let is = fields.get("is").cloned();
                fields.close(errors);
                Some(Check::Answered { id, is })
            }
            "equal" => {
                let [a, b] = body.as_array().map(Vec::as_slice).unwrap_or_default() else {
                    errors.push(&at, "expected two values");
                    return None;
                };
                let a = Ref::read(a, &at.index(0), errors);
                let b = Ref::read(b, &at.index(1), errors);
                Some(Check::Equal(a?, b?))
            }
            "all" => parts(body, &at, errors).map(Check::All),
            "any" => parts(body, &at, errors).map(Check::Any),
            "not" => Check::read(body, &at, errors).map(|part| Check::Not(Box::new(part))),
            _ => {
                errors.unknown(&at, "check", verb, VERBS.iter().copied());
                None
            }
        }
    }
}

fn parts(body: &Value, at: &FieldPath, errors: &mut Errors) -> Option<Vec<Check>> {
    let Value::Array(items) = body else {
        errors.push(at, format!("expected a list of checks, found {}", type_name(body)));
        return None;
    };
    let read: Vec<_> =
        items.iter().enumerate().map(|(i, item)| Check::read(item, &at.index(i), errors)).collect();
    read.into_iter().collect()
}

fn count(body: &Value, at: &FieldPath, errors: &mut Errors) -> Option<Check> {
    let mut fields = Fields::open(body, at, errors)?;
    let of = fields.need("of", errors).and_then(|of| Match::read(of, &at.field("of"), errors));
    let is = fields.need("is", errors).and_then(|is| Pattern::read(is, &at.field("is"), errors));
    fields.close(errors);
    Some(Check::Count { of: of?, is: is? })
}

fn path_spec(body: &Value, at: &FieldPath, errors: &mut Errors) -> Option<PathSpec> {
    let mut fields = Fields::open(body, at, errors)?;
    let from = fields.text("from", errors);
    let to = fields.text("to", errors);
    let port = fields.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    let proto = fields.maybe_text("proto", errors);
    let verdict = fields.text("verdict", errors);
    if !matches!(verdict.as_str(), "ok" | "blocked") {
        errors.unknown(&at.field("verdict"), "verdict", &verdict, ["ok", "blocked"]);
    }
    let via = fields.items("via", errors).to_vec();
    let not_via = fields.items("not_via", errors).to_vec();
    let blocked_by = fields.get("blocked_by").cloned();
    fields.close(errors);
    Some(PathSpec { from, to, port, proto, ok: verdict == "ok", via, not_via, blocked_by })
}

impl Ref {
    /// Reads `{let: name}` or `{of: Match, field: dotted.path}`.
    pub fn read(value: &Value, path: &FieldPath, errors: &mut Errors) -> Option<Ref> {
        let mut fields = Fields::open(value, path, errors)?;
        if let Some(name) = fields.maybe_text("let", errors) {
            fields.close(errors);
            return Some(Ref::Let(name));
        }
        let of = fields.need("of", errors).and_then(|of| Match::read(of, &path.field("of"), errors));
        let field = fields.text("field", errors);
        fields.close(errors);
        Some(Ref::Field { of: of?, field })
    }
}

impl Match {
    /// Reads `{kind, name?, namespace?, labels?, …partial object…}`.
    pub fn read(value: &Value, path: &FieldPath, errors: &mut Errors) -> Option<Match> {
        let mut fields = Fields::open(value, path, errors)?;
        let word = fields.text("kind", errors);
        let Some(subject) = Subject::parse(&word) else {
            let words: Vec<String> = Subject::every().map(Subject::word).collect();
            errors.unknown(&path.field("kind"), "kind", &word, words.iter().map(String::as_str));
            return None;
        };
        let namespaced = matches!(subject, Subject::Kind(kind) if kind.info().scope == Scope::Namespaced);
        let namespace = match namespaced {
            true => fields.maybe_text("namespace", errors).unwrap_or_else(|| "default".to_owned()),
            false => String::new(),
        };
        let mut metadata = Vec::new();
        if has_metadata(subject) {
            if let Some(name) = fields.get("name") {
                metadata.push(("name".to_owned(), Pattern::read(name, &path.field("name"), errors)?));
            }
            // A node group's own labels stand at its top level; everything else has them in its metadata.
            if subject != Subject::Kind(Kind::Nodegroup)
                && let Some(labels) = fields.get("labels")
            {
                metadata.push(("labels".to_owned(), Pattern::read(labels, &path.field("labels"), errors)?));
            }
        }
        let mut body = Vec::new();
        for (name, value) in fields.rest() {
            let pattern = Pattern::read(value, &path.field(name), errors)?;
            match (name.as_str(), pattern) {
                ("metadata", Pattern::Subset(more)) => metadata.extend(more),
                (_, pattern) => body.push((name.clone(), pattern)),
            }
        }
        if !metadata.is_empty() {
            body.insert(0, ("metadata".to_owned(), Pattern::Subset(metadata)));
        }
        known::check_fields(subject, &body, path, errors);
        Some(Match { subject, namespace, body })
    }
}

fn has_metadata(subject: Subject) -> bool {
    match subject {
        Subject::Kind(kind) => kind != Kind::IpPool || kind.info().domain() == Domain::Kubernetes,
        Subject::Decision | Subject::Request => false,
    }
}

impl Pattern {
    /// Reads a value: a scalar, a partial object, a partial list, or `$` operators.
    pub fn read(value: &Value, path: &FieldPath, errors: &mut Errors) -> Option<Pattern> {
        match value {
            Value::Object(map) if map.keys().any(|key| key.starts_with('$')) => {
                let ops: Vec<_> = map
                    .iter()
                    .map(|(name, value)| Op::read(name, value, &path.field(name), errors))
                    .collect();
                ops.into_iter().collect::<Option<_>>().map(Pattern::Ops)
            }
            Value::Object(map) => {
                let fields: Vec<_> = map
                    .iter()
                    .map(|(name, value)| {
                        Some((name.clone(), Pattern::read(value, &path.field(name), errors)?))
                    })
                    .collect();
                fields.into_iter().collect::<Option<_>>().map(Pattern::Subset)
            }
            Value::Array(items) => patterns(items, path, errors).map(Pattern::Contains),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Some(Pattern::Equal(value.clone()))
            }
        }
    }
}

fn patterns(items: &[Value], path: &FieldPath, errors: &mut Errors) -> Option<Vec<Pattern>> {
    let read: Vec<_> =
        items.iter().enumerate().map(|(i, v)| Pattern::read(v, &path.index(i), errors)).collect();
    read.into_iter().collect()
}

impl Op {
    fn read(name: &str, value: &Value, path: &FieldPath, errors: &mut Errors) -> Option<Op> {
        let list = |errors: &mut Errors| match value {
            Value::Array(items) => Some(items.clone()),
            other => {
                errors.push(path, format!("expected a list, found {}", type_name(other)));
                None
            }
        };
        Some(match name {
            "$gt" => Op::Gt(value.clone()),
            "$gte" => Op::Gte(value.clone()),
            "$lt" => Op::Lt(value.clone()),
            "$lte" => Op::Lte(value.clone()),
            "$ne" => Op::Ne(value.clone()),
            "$in" => Op::In(list(errors)?),
            "$nin" => Op::Nin(list(errors)?),
            "$re" => match Regex::new(&plain(value)) {
                Ok(re) => Op::Re(Box::new(re)),
                Err(error) => {
                    errors.push(path, error.to_string());
                    return None;
                }
            },
            "$absent" | "$present" => match value {
                Value::Bool(so) if *so == (name == "$absent") => Op::Absent,
                Value::Bool(_) => Op::Present,
                other => {
                    errors.push(path, format!("expected true or false, found {}", type_name(other)));
                    return None;
                }
            },
            "$len" => Op::Len(Box::new(Pattern::read(value, path, errors)?)),
            "$only" => Op::Only(patterns(&list(errors)?, path, errors)?),
            "$each" => Op::Each(Box::new(Pattern::read(value, path, errors)?)),
            "$cidr" => match plain(value).parse() {
                Ok(block) => Op::Cidr(block),
                Err(_) => {
                    errors.push(path, format!("{:?} is no IPv4 block", plain(value)));
                    return None;
                }
            },
            "$ref" => Op::Ref(plain(value)),
            _ => {
                errors.unknown(path, "operator", name, OPERATORS.iter().copied());
                return None;
            }
        })
    }
}
