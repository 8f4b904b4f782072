//! Which objects does this selector choose?
//!
//! [`Selector`] is read from kubectl's `-l` syntax or from a `LabelSelector`; it knows nothing of what it is matched
//! against but a map of labels.
//! Source: `labels` and `validation` of apimachinery 1.34 (grammar and error texts).
//!
//! ```
//! use api::label::Selector;
//! let selector = Selector::parse("app=web,tier notin (db)").expect("a selector");
//! assert!(selector.matches(&[("app".to_owned(), "web".to_owned())].into()));
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thiserror::Error;

use crate::meta::LabelSelector;

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// `key=value`.
    Equals,
    /// `key==value`.
    DoubleEquals,
    /// `key!=value`; also true without the key.
    NotEquals,
    /// `key in (a,b)`.
    In,
    /// `key notin (a,b)`; also true without the key.
    NotIn,
    /// `key`.
    Exists,
    /// `!key`.
    DoesNotExist,
    /// `key>5`.
    GreaterThan,
    /// `key<5`.
    LessThan,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// How to compare.
    pub operator: Operator,
    /// What to compare with.
    pub values: Vec<String>,
}

/// Why a text or an object is no selector; the display is upstream's text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SelectorError(String);

/// All requirements must hold; none chooses everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// Sorted by key.
    pub requirements: Vec<Requirement>,
}

impl Selector {
    /// Reads kubectl's `-l` syntax.
    /// # Errors
    /// The text that kubectl prints after `error: `.
    pub fn parse(text: &str) -> Result<Selector, SelectorError> {
        let mut requirements =
            Parser { tokens: scan(text), position: 0 }.selector().map_err(SelectorError)?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Selector { requirements })
    }

    /// Reads the selector of a Deployment, an affinity term and the like. An empty one chooses everything.
    /// # Errors
    /// The text that the API server and the controllers print.
    pub fn from_label_selector(selector: &LabelSelector) -> Result<Selector, SelectorError> {
        let labels = selector
            .match_labels
            .iter()
            .flatten()
            .map(|(key, value)| Requirement::new(key.clone(), Operator::Equals, vec![value.clone()]));
        let expressions = selector.match_expressions.iter().flatten().map(|it| {
            let operator = match it.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => return Err(format!("{other:?} is not a valid label selector operator")),
            };
            Requirement::new(it.key.clone(), operator, it.values.clone().unwrap_or_default())
        });
        let mut requirements =
            labels.chain(expressions).collect::<Result<Vec<_>, _>>().map_err(SelectorError)?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Selector { requirements })
    }

    /// Every label equal, as a Service's or a ReplicationController's selector is.
    #[must_use]
    pub fn from_set(labels: &BTreeMap<String, String>) -> Selector {
        let requirement = |(key, value): (&String, &String)| Requirement {
            key: key.clone(),
            operator: Operator::Equals,
            values: vec![value.clone()],
        };
        Selector { requirements: labels.iter().map(requirement).collect() }
    }

    /// Whether the labels meet every requirement.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|it| it.holds(labels.get(&it.key).map(String::as_str)))
    }

    /// Whether it chooses everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl Requirement {
    /// A requirement that upstream would accept.
    /// # Errors
    /// Upstream's field errors, joined as it joins them.
    pub fn new(key: String, operator: Operator, values: Vec<String>) -> Result<Requirement, String> {
        let mut errors = Vec::new();
        let reasons = qualified_name_errors(&key);
        if !reasons.is_empty() {
            errors.push(format!("key: Invalid value: {key:?}: {}", reasons.join("; ")));
        }
        let all = || format!("values: Invalid value: []string{{{}}}: ", quoted(&values));
        match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                errors.push(all() + "for 'in', 'notin' operators, values set can't be empty");
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals if values.len() != 1 => {
                errors.push(all() + "exact-match compatibility requires one single value");
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                errors.push(all() + "values set must be empty for exists and does not exist");
            }
            Operator::GreaterThan | Operator::LessThan => {
                if values.len() != 1 {
                    errors.push(all() + "for 'Gt', 'Lt' operators, exactly one value is required");
                }
                for (i, value) in values.iter().enumerate().filter(|(_, value)| integer(value).is_none()) {
                    errors.push(format!("values[{i}]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer"));
                }
            }
            Operator::In
            | Operator::NotIn
            | Operator::Equals
            | Operator::DoubleEquals
            | Operator::NotEquals
            | Operator::Exists
            | Operator::DoesNotExist => {}
        }
        for (i, value) in values.iter().enumerate() {
            let reasons = label_value_errors(value);
            if !reasons.is_empty() {
                errors.push(format!("values[{i}][{key}]: Invalid value: {value:?}: {}", reasons.join("; ")));
            }
        }
        match errors.as_slice() {
            [] => Ok(Requirement { key, operator, values }),
            [one] => Err(one.clone()),
            several => Err(format!("[{}]", several.join(", "))),
        }
    }

    /// Whether it holds for the label's value, `None` where the key is missing.
    #[must_use]
    pub fn holds(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|it| it == value);
        let compared = |wanted: std::cmp::Ordering| {
            let both = value.and_then(integer).zip(self.values.first().and_then(|it| integer(it)));
            both.is_some_and(|(have, bound)| have.cmp(&bound) == wanted)
        };
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => value.is_some_and(listed),
            Operator::NotIn | Operator::NotEquals => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => compared(std::cmp::Ordering::Greater),
            Operator::LessThan => compared(std::cmp::Ordering::Less),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.requirements.iter().enumerate() {
            write!(f, "{}{requirement}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut values = self.values.clone();
        values.sort();
        let (key, values) = (&self.key, values.join(","));
        match self.operator {
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

/// What keeps a text from being a label's key, in upstream's words; empty if nothing does.
#[must_use]
pub fn qualified_name_errors(text: &str) -> Vec<String> {
    const RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let mut errors = Vec::new();
    let name = match text.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        ["", name] => {
            errors.push("prefix part must be non-empty".to_owned());
            name
        }
        [prefix, name] => {
            errors.extend(subdomain_errors(prefix).iter().map(|it| format!("prefix part {it}")));
            name
        }
        _ => {
            return vec![format!(
                "a qualified name {RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        errors.push("name part must be no more than 63 characters".to_owned());
    }
    if !is_name(name) {
        errors.push(format!("name part {RULE}"));
    }
    errors
}

/// What keeps a text from being a label's value, in upstream's words; empty if nothing does.
#[must_use]
pub fn label_value_errors(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > 63 {
        errors.push("must be no more than 63 characters".to_owned());
    }
    if !text.is_empty() && !is_name(text) {
        errors.push("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')".to_owned());
    }
    errors
}

/// What keeps a text from being an RFC 1123 subdomain, in upstream's words; empty if nothing does.
#[must_use]
pub fn subdomain_errors(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > 253 {
        errors.push("must be no more than 253 characters".to_owned());
    }
    if !text.split('.').all(is_lower_name) {
        errors.push(r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')".to_owned());
    }
    errors
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`: by hand, for every pod's labels are looked at again and again.
fn is_name(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(ends) && text.ends_with(ends) && text.chars().all(|c| ends(c) || "-_.".contains(c))
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`.
fn is_lower_name(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(ends) && text.ends_with(ends) && text.chars().all(|c| ends(c) || c == '-')
}

fn quoted(values: &[String]) -> String {
    values.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(", ")
}

/// A 64-bit integer as Go reads one.
#[must_use]
pub fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Symbol(&'static str),
    End,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Token::Word(word) => word,
            Token::Symbol(symbol) => symbol,
            Token::End => "",
        }
    }
}

fn scan(text: &str) -> Vec<Token> {
    const SYMBOLS: [&str; 9] = ["==", "!=", ")", ",", "!", "=", ">", "<", "("];
    let blank = [' ', '\t', '\r', '\n'];
    let mut tokens = Vec::new();
    // UPSTREAM: the lexer takes a zero byte for the end of the text.
    let mut rest = text.split('\0').next().unwrap_or_default().trim_start_matches(blank);
    while !rest.is_empty() {
        let symbol = SYMBOLS.iter().find(|it| rest.starts_with(**it));
        let length = match symbol {
            Some(symbol) => {
                tokens.push(Token::Symbol(symbol));
                symbol.len()
            }
            None => {
                let stop = |c: char| blank.contains(&c) || "=!(),><".contains(c);
                let length = rest.find(stop).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..length].to_owned()));
                length
            }
        };
        rest = rest[length..].trim_start_matches(blank);
    }
    tokens.push(Token::End);
    tokens
}

struct Parser {
    tokens: Vec<Token>,
    position: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.position).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.position += 1;
        token
    }

    fn selector(mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::End => return Ok(requirements),
                Token::Word(_) | Token::Symbol("!") => {}
                Token::Symbol(other) => {
                    return Err(format!("found '{other}', expected: !, identifier, or 'end of string'"));
                }
            }
            requirements
                .push(self.requirement().map_err(|error| format!("unable to parse requirement: {error}"))?);
            match self.next() {
                Token::End => return Ok(requirements),
                Token::Symbol(",") if matches!(self.peek(), Token::Word(_) | Token::Symbol("!")) => {}
                Token::Symbol(",") => {
                    return Err(format!("found '{}', expected: identifier after ','", self.peek().text()));
                }
                other @ (Token::Word(_) | Token::Symbol(_)) => {
                    return Err(format!("found '{}', expected: ',' or 'end of string'", other.text()));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let absent = *self.peek() == Token::Symbol("!");
        if absent {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            other => return Err(format!("found '{}', expected: identifier", other.text())),
        };
        let reasons = qualified_name_errors(&key);
        if !reasons.is_empty() {
            return Err(format!("<nil>: Invalid value: {key:?}: {}", reasons.join("; ")));
        }
        let alone = matches!(self.peek(), Token::End | Token::Symbol(","));
        if absent || alone {
            let operator = if absent { Operator::DoesNotExist } else { Operator::Exists };
            return Requirement::new(key, operator, Vec::new());
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.set()?,
            _ => vec![self.exact()?],
        };
        Requirement::new(key, operator, values)
    }

    fn operator(&mut self) -> Result<Operator, String> {
        match self.next().text() {
            "in" => Ok(Operator::In),
            "notin" => Ok(Operator::NotIn),
            "=" => Ok(Operator::Equals),
            "==" => Ok(Operator::DoubleEquals),
            "!=" => Ok(Operator::NotEquals),
            ">" => Ok(Operator::GreaterThan),
            "<" => Ok(Operator::LessThan),
            other => Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        }
    }

    fn exact(&mut self) -> Result<String, String> {
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(String::new());
        }
        match self.next() {
            Token::Word(value) => Ok(value),
            other => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }

    fn set(&mut self) -> Result<Vec<String>, String> {
        let open = self.next();
        if open != Token::Symbol("(") {
            return Err(format!("found '{}' expected: '('", open.text()));
        }
        match self.peek().clone() {
            Token::Word(_) | Token::Symbol(",") => {
                let values = self.identifiers()?;
                self.next();
                Ok(values.into_iter().collect())
            }
            Token::Symbol(")") => {
                self.next();
                Ok(vec![String::new()])
            }
            other => Err(format!("found '{}', expected: ',', ')' or identifier", other.text())),
        }
    }

    /// Stops before the closing parenthesis. A gap between commas is the empty value.
    fn identifiers(&mut self) -> Result<BTreeSet<String>, String> {
        let mut values = BTreeSet::new();
        loop {
            match self.next() {
                Token::Word(value) => {
                    values.insert(value);
                    match self.peek() {
                        Token::Symbol(",") => {}
                        Token::Symbol(")") => return Ok(values),
                        other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
                    }
                }
                Token::Symbol(",") => {
                    if values.is_empty() {
                        values.insert(String::new());
                    }
                    if *self.peek() == Token::Symbol(")") {
                        values.insert(String::new());
                        return Ok(values);
                    }
                    if *self.peek() == Token::Symbol(",") {
                        self.next();
                        values.insert(String::new());
                    }
                }
                other => return Err(format!("found '{}', expected: ',', or identifier", other.text())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_selector_is_printed_as_kubectl_would() {
        for (text, printed) in [
            ("x=a,y!=b", "x=a,y!=b"),
            (" z == c ", "z==c"),
            ("b,!a", "!a,b"),
            ("x in (c,a)", "x in (a,c)"),
            ("x notin ()", "x notin ()"),
            ("x in (foo,,baz)", "x in (,baz,foo)"),
            ("x>1", "x>1"),
            ("x=", "x="),
            ("in in (in)", "in in (in)"),
            ("", ""),
        ] {
            assert_eq!(Selector::parse(text).expect(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn a_broken_selector_gets_kubectls_words() {
        for (text, error) in [
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a=b,", "found '', expected: identifier after ','"),
            ("=b", "found '=', expected: !, identifier, or 'end of string'"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("a==!b", "unable to parse requirement: found '!', expected: identifier"),
            (
                "a>x",
                "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
            ),
        ] {
            assert_eq!(Selector::parse(text).map_err(|it| it.to_string()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_key_with_a_bad_character_is_refused_with_the_rule() {
        let error = Selector::parse("a_$=b").expect_err("no key").to_string();
        assert!(
            error.starts_with(
                "unable to parse requirement: <nil>: Invalid value: \"a_$\": name part must consist of"
            ),
            "{error}"
        );
    }

    #[test]
    fn a_missing_key_meets_only_the_negative_requirements() {
        let have = labels(&[("app", "web"), ("n", "7")]);
        for (text, chosen) in [
            ("app", true),
            ("!app", false),
            ("tier", false),
            ("tier!=db", true),
            ("tier notin (db)", true),
            ("app in (db,web)", true),
            ("n>6", true),
            ("n<7", false),
            ("tier>1", false),
            ("app>1", false),
        ] {
            assert_eq!(Selector::parse(text).expect(text).matches(&have), chosen, "{text}");
        }
    }

    #[test]
    fn an_unknown_operator_of_a_label_selector_is_named() {
        let selector = serde_json::json!({"matchExpressions": [{"key": "a", "operator": "Near"}]});
        let selector: LabelSelector = serde_json::from_value(selector).expect("a selector");
        let error = Selector::from_label_selector(&selector).expect_err("no operator").to_string();
        assert_eq!(error, "\"Near\" is not a valid label selector operator");
    }
}
