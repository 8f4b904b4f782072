//! Are the rules in CEL of a definition's schema such that they can be asked, and at a price that can be paid?
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go` (`ValidateCustomResourceDefinitionOpenAPISchema`),
//! `cel_validation.go` beside it, `pkg/apiserver/schema/cel/compilation.go`.

use serde_json::Value;

use super::report::{At, Report, Written};
use crate::{
    cel::{Program, Type},
    custom::{Declaration, LARGEST_REQUEST, declared, rule_names},
};

/// How deep a schema is followed.
const DEEPEST: usize = 64;

const REASONS: [&str; 4] =
    ["FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate"];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The most that one expression may cost, and all of a schema together.
const DEAREST: u64 = 10_000_000;
const DEAREST_ALL: u64 = 100_000_000;

/// Looks at the rules of a schema; those of one that is not structural are not compiled. What is `known` may cost what it costs.
pub(super) fn check(report: &mut Report, schema: &Value, at: &At<'_>, is_structural: bool, known: bool) {
    let mut rules = Rules {
        written: Report::default(),
        compiled: Report::default(),
        is_structural,
        known,
        total: 0,
        dear: Vec::new(),
    };
    let scope = Scope { is_root: true, cardinality: Some(1), uncorrelated: None, depth: 0 };
    rules.walk(schema, at, &scope);
    report.causes.append(&mut rules.written.causes);
    report.causes.append(&mut rules.compiled.causes);
    if rules.total > DEAREST_ALL {
        rules.dear.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
        for (place, _) in rules.dear.iter().take(4) {
            let why =
                "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
            report.forbidden(&At::root(place), why);
        }
        let what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
        report.forbidden(at, &exceeds(what, rules.total, DEAREST_ALL));
    }
}

/// What is said of a cost over its limit.
#[allow(clippy::cast_precision_loss, reason = "as the API server divides them")]
fn exceeds(what: &str, cost: u64, limit: u64) -> String {
    let factor = cost as f64 / limit as f64;
    let factor = if factor > 100.0 {
        "more than 100x".to_owned()
    } else if factor < 1.5 {
        format!("{factor:.6}x")
    } else {
        format!("{factor:.1}x")
    };
    format!(
        "{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
}

/// Where a schema stands.
struct Scope {
    is_root: bool,
    /// How often there may be what it describes, if the lists and maps around it say.
    cardinality: Option<u64>,
    /// The first part around it that cannot be told from what was there before.
    uncorrelated: Option<String>,
    depth: usize,
}

impl Scope {
    /// Where a part of `schema` stands.
    fn below(&self, schema: &Value) -> Scope {
        let limit = |name: &str| schema[name].as_i64().map(|limit| u64::try_from(limit).unwrap_or(0));
        let each = match text(&schema["type"]) {
            "object" if schema["additionalProperties"].is_null() => Some(1),
            "object" => limit("maxProperties"),
            "array" => limit("maxItems"),
            _ => Some(1),
        };
        Scope {
            is_root: false,
            cardinality: self.cardinality.zip(each).map(|(many, each)| many.saturating_mul(each)),
            uncorrelated: self.uncorrelated.clone(),
            depth: self.depth + 1,
        }
    }

    fn uncorrelated_at(mut self, at: &At<'_>) -> Self {
        self.uncorrelated.get_or_insert_with(|| at.to_string());
        self
    }
}

struct Rules {
    /// What is wrong with what stands beside expressions, and with expressions.
    written: Report,
    compiled: Report,
    is_structural: bool,
    known: bool,
    total: u64,
    /// What costs a hundredth of what all may cost, or more.
    dear: Vec<(String, u64)>,
}

impl Rules {
    fn walk(&mut self, schema: &Value, at: &At<'_>, scope: &Scope) {
        if scope.depth > DEEPEST || !schema.is_object() {
            return;
        }
        let had = self.written.causes.len();
        self.walk(&schema["additionalProperties"], &at.field("additionalProperties"), &scope.below(schema));
        let properties = at.field("properties");
        let is_correlated = ["", "granular", "atomic"].contains(&text(&schema["x-kubernetes-map-type"]));
        for (name, own) in schema["properties"].as_object().into_iter().flatten() {
            let below = scope.below(schema);
            let below = if is_correlated { below } else { below.uncorrelated_at(at) };
            self.walk(own, &properties.key(name), &below);
        }
        let below = scope.below(schema);
        let is_correlated = schema["x-kubernetes-list-type"] == "map";
        let below = if is_correlated { below } else { below.uncorrelated_at(at) };
        self.walk(&schema["items"], &at.field("items"), &below);
        let rules: Vec<&Value> =
            schema["x-kubernetes-validations"].as_array().into_iter().flatten().collect();
        if rules.is_empty() {
            return;
        }
        let list = at.field("x-kubernetes-validations");
        for (n, rule) in rules.iter().enumerate() {
            written(&mut self.written, rule, schema, &list.index(n));
        }
        let is_resource = scope.is_root || schema["x-kubernetes-embedded-resource"] == true;
        // Nothing is compiled where the schema, here or below, is wrong.
        let is_sound = self.is_structural && self.written.causes.len() == had;
        if let Some(seen) = declared(schema, is_resource).filter(|_| is_sound) {
            for (n, rule) in rules.iter().enumerate() {
                self.compiled(rule, &seen, &list.index(n), scope);
            }
        }
    }

    /// Counts what an expression costs, and says if that is too much.
    fn costs(&mut self, at: &At<'_>, what: &str, cost: u64) {
        if cost > DEAREST && !self.known {
            self.compiled.forbidden(at, &exceeds(what, cost, DEAREST));
        }
        self.total = self.total.saturating_add(cost);
        if cost >= DEAREST_ALL / 100 {
            self.dear.push((at.to_string(), cost));
        }
    }

    fn compiled(&mut self, rule: &Value, seen: &Declaration, at: &At<'_>, scope: &Scope) {
        let names = rule_names(rule, &seen.type_);
        let place = at.field("rule");
        let words = text(&rule["rule"]);
        let program = match Program::compile(words, &names) {
            Err(error) => Err(format!("compilation failed: {error}")),
            Ok(program) if *program.result() != Type::Bool => {
                Err("cel expression must evaluate to a bool".to_owned())
            }
            Ok(program) => Ok(program),
        };
        let mut looks_back = false;
        match program {
            // The whole rule is shown, as Go prints its struct.
            Err(why) => self.compiled.invalid(&place, &Written(shown_rule(rule)), &why),
            Ok(program) => {
                let often = scope.cardinality.unwrap_or(LARGEST_REQUEST / (seen.sizes.least + 1));
                let cost = program.most_cost(&seen.sizes).saturating_mul(often);
                self.costs(&place, "estimated rule cost", cost);
                self.message(rule, &names, seen, at);
                looks_back = program.uses("oldSelf");
            }
        }
        if looks_back {
            if let Some(part) = &scope.uncorrelated {
                let why = format!(
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within {part}"
                );
                self.compiled.invalid(&place, words, &why);
            }
        } else if !rule["optionalOldSelf"].is_null() {
            let why = "may not be set if oldSelf is not used in rule";
            self.compiled.invalid(&at.field("optionalOldSelf"), &rule["optionalOldSelf"], why);
        }
    }

    /// The expression that makes a rule's message.
    fn message(&mut self, rule: &Value, names: &[(&str, Type)], seen: &Declaration, at: &At<'_>) {
        let made = text(&rule["messageExpression"]);
        if made.is_empty() {
            return;
        }
        let place = at.field("messageExpression");
        let why = match Program::compile(made, names) {
            Err(error) => format!("messageExpression compilation failed: {error}"),
            Ok(program) if *program.result() != Type::Text => {
                "messageExpression must evaluate to a string".to_owned()
            }
            Ok(program) => {
                let cost = program.most_cost(&seen.sizes);
                return self.costs(&place, "estimated messageExpression cost", cost);
            }
        };
        self.compiled.invalid(&place, &Written(shown_rule(rule)), &why);
    }
}

/// What a rule says beside its expression.
fn written(report: &mut Report, rule: &Value, schema: &Value, at: &At<'_>) {
    let (words, message) = (text(&rule["rule"]), text(&rule["message"]));
    if words.trim().is_empty() {
        report.required(&at.field("rule"), "rule is not specified");
    }
    if !message.is_empty() && message.trim().is_empty() {
        report.invalid(&at.field("message"), message, "must be non-empty if specified");
    } else if message.trim().contains('\n') {
        report.invalid(&at.field("message"), message, "must not contain line breaks");
    } else if words.trim().contains('\n') && message.trim().is_empty() {
        report.required(&at.field("message"), "message must be specified if rule contains line breaks");
    }
    let made = text(&rule["messageExpression"]);
    if !made.is_empty() && made.trim().is_empty() {
        report.required(&at.field("messageExpression"), "messageExpression must be non-empty if specified");
    }
    let reason = text(&rule["reason"]);
    if !reason.is_empty() && !REASONS.contains(&reason) {
        let mut listed = REASONS;
        listed.sort_unstable();
        report.not_supported(&at.field("reason"), reason, &listed);
    }
    let path = text(&rule["fieldPath"]);
    if path.is_empty() {
        return;
    }
    let at = at.field("fieldPath");
    if path.trim().is_empty() {
        report.invalid(&at, path, "must be non-empty if specified");
    } else if path.trim().contains('\n') {
        report.invalid(&at, path, "must not contain line breaks");
    } else if !leads_somewhere(schema, path) {
        report.invalid(&at, path, "must be a valid path");
    }
}

/// Whether a path such as `.spec.size` names a field of the schema.
fn leads_somewhere(schema: &Value, path: &str) -> bool {
    let mut at = schema;
    let Some(path) = path.strip_prefix('.') else { return path.starts_with('[') };
    for name in path.split(['.', '[']) {
        let name = name.trim_end_matches(']').trim_matches('\'');
        at = match (at["properties"].as_object(), at.get("additionalProperties")) {
            (Some(fields), _) => match fields.get(name) {
                Some(own) => own,
                None => return false,
            },
            (None, Some(every)) => every,
            (None, None) => return false,
        };
    }
    true
}

/// A rule as Go's JSON encoder writes its struct.
fn shown_rule(rule: &Value) -> String {
    let or_null = |name: &str| match &rule[name] {
        Value::Null => "null".to_owned(),
        value => super::shown(value),
    };
    let word = |name: &str| {
        let quoted = super::shown(&Value::String(text(&rule[name]).to_owned()));
        quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    };
    format!(
        "{{\"Rule\":{},\"Message\":{},\"MessageExpression\":{},\"Reason\":{},\"FieldPath\":{},\"OptionalOldSelf\":{}}}",
        word("rule"),
        word("message"),
        word("messageExpression"),
        or_null("reason"),
        word("fieldPath"),
        or_null("optionalOldSelf"),
    )
}
