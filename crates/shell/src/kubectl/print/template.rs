//! `-o go-template`, its common part: fields, `range`, `if`, `printf`-less text, quoted strings.
//!
//! MODEL: pipelines and functions other than the named ones are not read.

use serde_json::Value;

use crate::kubectl::{Done, Fail, field, print::columns_text};

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Value(Operand),
    Range { key: Option<String>, item: Option<String>, of: Operand, body: Vec<Node>, otherwise: Vec<Node> },
    If { test: Operand, body: Vec<Node>, otherwise: Vec<Node> },
}

#[derive(Clone, Debug)]
enum Operand {
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Literal(String),
    Decode(Box<Operand>),
    Length(Box<Operand>),
}

/// A template, ready to print.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Node>);

type Variables = Vec<(String, Value)>;

impl Template {
    pub(crate) fn parse(text: &str) -> Done<Self> {
        let mut tokens = Vec::new();
        let mut rest = text;
        let broken =
            |what: &str| Fail::error(format!("error parsing template {text}, template: output:1: {what}"));
        while let Some(at) = rest.find("{{") {
            tokens.push((false, rest[..at].to_owned()));
            let Some(end) = rest[at..].find("}}") else { return broken("unclosed action") };
            tokens.push((true, rest[at + 2..at + end].trim_matches(['-', ' ']).to_owned()));
            rest = &rest[at + end + 2..];
        }
        tokens.push((false, rest.to_owned()));
        let mut at = 0;
        let nodes = nodes(&tokens, &mut at, 0).map_err(|what| {
            Fail::Error(format!("error parsing template {text}, template: output:1: {what}"))
        })?;
        if at < tokens.len() {
            return broken("unexpected {{end}}");
        }
        Ok(Self(nodes))
    }

    pub(crate) fn print(&self, value: &Value) -> Done<String> {
        let mut out = String::new();
        run(&self.0, value, &mut vec![(String::new(), value.clone())], &mut out);
        Ok(out)
    }
}

fn nodes(tokens: &[(bool, String)], at: &mut usize, depth: usize) -> Result<Vec<Node>, String> {
    if depth > 50 {
        return Err("nested too deep".to_owned());
    }
    let mut out = Vec::new();
    while let Some((action, text)) = tokens.get(*at) {
        if !action {
            out.push(Node::Text(text.clone()));
            *at += 1;
            continue;
        }
        let mut words = text.splitn(2, ' ');
        match (words.next().unwrap_or_default(), words.next().unwrap_or_default().trim()) {
            ("end" | "else", _) => return Ok(out),
            ("range", of) => {
                let (names, of) = of.split_once(":=").map_or((None, of), |(n, o)| (Some(n), o.trim()));
                let mut names: Vec<String> = names
                    .into_iter()
                    .flat_map(|n| n.split(','))
                    .map(|n| n.trim().trim_start_matches('$').to_owned())
                    .collect();
                let item = names.pop();
                let key = names.pop();
                let of = operand(of)?;
                let (body, otherwise) = blocks(tokens, at, depth)?;
                out.push(Node::Range { key, item, of, body, otherwise });
            }
            ("if", test) => {
                let test = operand(test)?;
                let (body, otherwise) = blocks(tokens, at, depth)?;
                out.push(Node::If { test, body, otherwise });
            }
            _ => {
                out.push(Node::Value(operand(text)?));
                *at += 1;
            }
        }
    }
    if depth > 0 { Err("unexpected EOF".to_owned()) } else { Ok(out) }
}

fn blocks(tokens: &[(bool, String)], at: &mut usize, depth: usize) -> Result<(Vec<Node>, Vec<Node>), String> {
    *at += 1;
    let body = nodes(tokens, at, depth + 1)?;
    let mut otherwise = Vec::new();
    if tokens.get(*at).is_some_and(|(_, t)| t == "else") {
        *at += 1;
        otherwise = nodes(tokens, at, depth + 1)?;
    }
    *at += 1;
    Ok((body, otherwise))
}

fn operand(text: &str) -> Result<Operand, String> {
    let text = text.trim();
    if let Some((left, function)) = text.rsplit_once('|') {
        let inner = Box::new(operand(left)?);
        return match function.trim() {
            "base64decode" => Ok(Operand::Decode(inner)),
            "len" => Ok(Operand::Length(inner)),
            other => Err(format!("function {:?} not defined", other.split(' ').next().unwrap_or_default())),
        };
    }
    if let Some(inner) = text.strip_prefix("len ") {
        return Ok(Operand::Length(Box::new(operand(inner)?)));
    }
    if let Some(inner) = text.strip_prefix("base64decode ") {
        return Ok(Operand::Decode(Box::new(operand(inner)?)));
    }
    let path = |text: &str| text.split('.').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    if let Some(quoted) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        return Ok(Operand::Literal(crate::expand::ansi_c(quoted)));
    }
    if text.starts_with('.') {
        return Ok(Operand::Field(path(text)));
    }
    if let Some(variable) = text.strip_prefix('$') {
        let mut parts = variable.split('.');
        let name = parts.next().unwrap_or_default().to_owned();
        return Ok(Operand::Variable(name, parts.map(str::to_owned).collect()));
    }
    Err(format!("function {:?} not defined", text.split(' ').next().unwrap_or_default()))
}

fn run(nodes: &[Node], dot: &Value, variables: &mut Variables, out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Value(operand) => match evaluate(operand, dot, variables) {
                Value::Null => out.push_str("<no value>"),
                other => out.push_str(&columns_text(&other)),
            },
            Node::If { test, body, otherwise } => {
                let branch = if truth(&evaluate(test, dot, variables)) { body } else { otherwise };
                run(branch, dot, variables, out);
            }
            Node::Range { key, item, of, body, otherwise } => {
                let entries: Vec<(Value, Value)> = match evaluate(of, dot, variables) {
                    Value::Array(items) => {
                        items.into_iter().enumerate().map(|(i, v)| (Value::from(i), v)).collect()
                    }
                    Value::Object(fields) => fields.into_iter().map(|(k, v)| (Value::from(k), v)).collect(),
                    _ => Vec::new(),
                };
                if entries.is_empty() {
                    run(otherwise, dot, variables, out);
                }
                for (index, entry) in entries {
                    let before = variables.len();
                    variables.extend(key.iter().map(|k| (k.clone(), index.clone())));
                    variables.extend(item.iter().map(|i| (i.clone(), entry.clone())));
                    run(body, &entry, variables, out);
                    variables.truncate(before);
                }
            }
        }
    }
}

fn evaluate(operand: &Operand, dot: &Value, variables: &Variables) -> Value {
    let walk = |from: &Value, path: &[String]| {
        path.iter().try_fold(from, |v, name| v.get(name)).cloned().unwrap_or(Value::Null)
    };
    match operand {
        Operand::Field(path) => walk(dot, path),
        Operand::Variable(name, path) => {
            let found = variables.iter().rev().find(|(n, _)| n == name);
            found.map_or(Value::Null, |(_, value)| walk(value, path))
        }
        Operand::Literal(text) => Value::from(text.clone()),
        Operand::Decode(inner) => {
            use base64::Engine as _;
            let text = field::word(&evaluate(inner, dot, variables));
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
            Value::from(String::from_utf8_lossy(&bytes).into_owned())
        }
        Operand::Length(inner) => Value::from(match evaluate(inner, dot, variables) {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            Value::String(text) => text.len(),
            _ => 0,
        }),
    }
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(it) => *it,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}
