//! Which parameters does a line give an operation?
//!
//! An option is a member of the operation's input; its value is text, several words, JSON or shorthand, as the member's type wants it.
//! Source: AWS CLI 2, `awscli/argparser.py`, `argprocess.py`, `clidriver.py`; botocore `validate.py`.

use serde_json::{Map, Value, json};

use super::{
    model::{Member, Operation, Service, Type, dashed},
    shorthand,
};
use crate::machine::Machine;

/// Options of every command that take a value.
const GLOBAL: [&str; 10] = [
    "region",
    "output",
    "query",
    "profile",
    "endpoint-url",
    "ca-bundle",
    "color",
    "cli-read-timeout",
    "cli-connect-timeout",
    "cli-binary-format",
];
/// Options of every command that stand alone.
const SWITCHES: [&str; 8] = [
    "debug",
    "no-verify-ssl",
    "no-paginate",
    "no-sign-request",
    "no-cli-pager",
    "cli-auto-prompt",
    "no-cli-auto-prompt",
    "version",
];
/// Options of operations that the lab does not have, with or without a value.
const NOT_HERE: [&str; 5] =
    ["cli-input-json", "cli-input-yaml", "generate-cli-skeleton", "max-items", "starting-token"];

/// A line, taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Service, operation and whatever else stands alone.
    pub words: Vec<String>,
    /// Options of every command, by name.
    pub global: Vec<(String, String)>,
    /// Options of the operation with what follows them.
    pub own: Vec<(String, Vec<String>)>,
}

/// Why a line is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// By the parser of arguments: with the usage before it.
    Usage(String),
    /// An option that the operation does not have.
    Unknown(String),
    /// By whoever reads the value.
    Value(String),
    /// The real CLI has it.
    NotSimulated(String),
}

impl Line {
    /// Takes a line apart, whatever the operation.
    /// # Errors
    /// An option of every command without its value.
    pub fn read(args: &[String]) -> Result<Self, Wrong> {
        let mut line = Self::default();
        let mut rest = args.iter().peekable();
        while let Some(arg) = rest.next() {
            let Some(option) = arg.strip_prefix("--").filter(|option| !option.is_empty()) else {
                match line.own.last_mut() {
                    Some((_, values)) => values.push(arg.clone()),
                    None => line.words.push(arg.clone()),
                }
                continue;
            };
            let (name, attached) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (option, None),
            };
            if SWITCHES.contains(&name) {
                line.global.push((name.to_owned(), String::new()));
            } else if GLOBAL.contains(&name) {
                let value = attached.or_else(|| rest.next_if(|next| !next.starts_with("--")).cloned());
                let value =
                    value.ok_or_else(|| Wrong::Usage(format!("argument --{name}: expected one argument")))?;
                line.global.push((name.to_owned(), value));
            } else {
                line.own.push((name.to_owned(), attached.into_iter().collect()));
            }
        }
        Ok(line)
    }

    /// The value of an option of every command.
    pub fn global(&self, name: &str) -> Option<&str> {
        self.global.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The value of an option of a command that the CLI adds itself.
    pub fn own(&self, name: &str) -> Option<&str> {
        self.own.iter().rev().find(|(given, _)| given == name)?.1.first().map(String::as_str)
    }

    /// The operation's parameters, in the service's names.
    /// # Errors
    /// In the words of the CLI.
    pub fn input(&self, service: &Service, operation: &Operation, machine: &Machine) -> Result<Value, Wrong> {
        let members = service.members(operation.input);
        let find = |option: &str| members.iter().find(|it| option_of(service, operation, it) == option);
        let mut input = Map::new();
        let mut unknown: Vec<String> = self.words.iter().skip(2).cloned().collect();
        for (name, values) in &self.own {
            if NOT_HERE.contains(&name.as_str()) {
                return Err(Wrong::NotSimulated(format!("aws --{name}")));
            }
            let (said, named) = match name.strip_prefix("no-") {
                // Source: awscli/customizations/argrename.py.
                _ if name == "ingress" && find("egress").is_some() => (false, "egress"),
                Some(rest) if find(rest).is_some_and(|it| is_switch(&it.of, service)) => (false, rest),
                _ => (true, name.as_str()),
            };
            let Some(member) = find(named) else {
                // One answer holds everything here, however long a page is.
                if name != "page-size" {
                    unknown.push(format!("--{name}"));
                    unknown.extend(values.iter().cloned());
                }
                continue;
            };
            let value = match (&member.of, values.as_slice()) {
                (Type::Boolean, extra) => {
                    unknown.extend(extra.iter().cloned());
                    Value::Bool(said)
                }
                (of, []) if is_switch(of, service) => json!({ "Value": said }),
                (Type::List(item), all) => {
                    list(item, all, service, machine).map_err(|why| parsing(name, why))?
                }
                (of, [one, extra @ ..]) => {
                    unknown.extend(extra.iter().cloned());
                    single(of, one, service, machine).map_err(|why| parsing(name, why))?
                }
                (_, []) => return Err(Wrong::Usage(format!("argument --{name}: expected one argument"))),
            };
            input.insert(member.name.to_owned(), value);
        }
        let missing: Vec<String> = members
            .iter()
            .filter(|it| it.required && !input.contains_key(it.name))
            .map(|it| format!("--{}", option_of(service, operation, it)))
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(Wrong::Usage(format!("the following arguments are required: {missing}")));
        }
        if !unknown.is_empty() {
            return Err(Wrong::Unknown(format!("Unknown options: {}", unknown.join(", "))));
        }
        let input = Value::Object(input);
        let mut problems = Vec::new();
        check(&input, &Type::Structure(operation.input), service, "", &mut problems);
        if problems.is_empty() {
            return Ok(input);
        }
        Err(Wrong::Value(format!("Parameter validation failed:\n{}", problems.join("\n"))))
    }
}

/// The option of a member: its name, but for those that the CLI has another name for.
/// Source: awscli/customizations/argrename.py: `--version` is an option of the CLI itself.
fn option_of(service: &Service, operation: &Operation, member: &Member) -> String {
    const RENAMED: [&str; 4] =
        ["CreateCluster", "UpdateClusterVersion", "CreateNodegroup", "UpdateNodegroupVersion"];
    if service.name == "eks" && member.name == "version" && RENAMED.contains(&operation.name) {
        return "kubernetes-version".to_owned();
    }
    dashed(member.name)
}

/// Whether an option can stand alone: true or false, or a structure of that alone.
/// Source: awscli/customizations/toplevelbool.py (of EC2 only).
fn is_switch(of: &Type, service: &Service) -> bool {
    match of {
        Type::Boolean => true,
        Type::Structure(shape) if service.name == "ec2" => {
            matches!(service.members(shape), [only] if only.name == "Value" && only.of == Type::Boolean)
        }
        _ => false,
    }
}

fn parsing(name: &str, why: String) -> Wrong {
    // UPSTREAM: a number that is none is Python's complaint, without the option.
    if why.starts_with("invalid literal") || why.starts_with("could not convert") {
        return Wrong::Value(why);
    }
    Wrong::Value(format!("Error parsing parameter '--{name}': {why}"))
}

fn list(item: &Type, words: &[String], service: &Service, machine: &Machine) -> Result<Value, String> {
    if let [only] = words
        && only.trim_start().starts_with('[')
    {
        return from_json(only);
    }
    words.iter().map(|word| single(item, word, service, machine)).collect::<Result<_, _>>().map(Value::Array)
}

fn single(of: &Type, word: &str, service: &Service, machine: &Machine) -> Result<Value, String> {
    let loaded = match word.strip_prefix("file://") {
        Some(path) => Some(
            machine
                .files
                .read(&machine.path(path))
                .map_err(|error| format!("Unable to load paramfile {word}: [Errno 2] {error}: '{path}'"))?,
        ),
        None => None,
    };
    let word: &str = loaded.as_deref().unwrap_or(word);
    match of {
        Type::Structure(_) | Type::Map(_) | Type::List(_) if word.trim_start().starts_with(['{', '[']) => {
            from_json(word)
        }
        Type::Structure(_) | Type::Map(_) => Ok(shaped(shorthand::read(word)?, of, service)),
        Type::List(item) => list(item, &[word.to_owned()], service, machine),
        Type::Integer => match word.trim().parse::<i64>() {
            Ok(number) => Ok(json!(number)),
            Err(_) => Err(format!("invalid literal for int() with base 10: '{word}'")),
        },
        Type::Double => match word.trim().parse::<f64>() {
            Ok(number) => Ok(json!(number)),
            Err(_) => Err(format!("could not convert string to float: '{word}'")),
        },
        Type::Boolean => Ok(Value::Bool(!word.eq_ignore_ascii_case("false"))),
        Type::Text | Type::Timestamp => Ok(json!(word)),
    }
}

fn from_json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("Invalid JSON: {error}\nJSON received: {text}"))
}

/// What shorthand gave, as the shape wants it: a list of one, a number.
fn shaped(value: Value, of: &Type, service: &Service) -> Value {
    match (of, value) {
        (Type::Structure(shape), Value::Object(fields)) => {
            let of = |name: &str| service.members(shape).iter().find(|it| it.name == name).map(|it| &it.of);
            let fields = fields.into_iter().map(|(name, value)| match of(&name) {
                Some(of) => (name, shaped(value, of, service)),
                None => (name, value),
            });
            Value::Object(fields.collect())
        }
        (Type::Map(item), Value::Object(fields)) => Value::Object(
            fields.into_iter().map(|(name, value)| (name, shaped(value, item, service))).collect(),
        ),
        (Type::List(item), Value::Array(items)) => {
            Value::Array(items.into_iter().map(|it| shaped(it, item, service)).collect())
        }
        (Type::List(item), one @ Value::String(_)) => Value::Array(vec![shaped(one, item, service)]),
        (Type::Integer, Value::String(text)) => {
            text.parse::<i64>().map_or(json!(text), |number| json!(number))
        }
        (Type::Boolean, Value::String(text)) => Value::Bool(!text.eq_ignore_ascii_case("false")),
        (_, value) => value,
    }
}

/// What botocore finds wrong with an input before it is sent.
fn check(value: &Value, of: &Type, service: &Service, name: &str, out: &mut Vec<String>) {
    let shown = if name.is_empty() { "input" } else { name };
    let below = |field: &str| if name.is_empty() { field.to_owned() } else { format!("{name}.{field}") };
    match (of, value) {
        (Type::Structure(shape), Value::Object(fields)) => {
            let members = service.members(shape);
            for missing in members.iter().filter(|it| it.required && !fields.contains_key(it.name)) {
                out.push(format!("Missing required parameter in {shown}: \"{}\"", missing.name));
            }
            for (field, value) in fields {
                match members.iter().find(|it| it.name == field) {
                    Some(member) => check(value, &member.of, service, &below(field), out),
                    None => {
                        let names: Vec<&str> = members.iter().map(|it| it.name).collect();
                        out.push(format!(
                            "Unknown parameter in {shown}: \"{field}\", must be one of: {}",
                            names.join(", ")
                        ));
                    }
                }
            }
        }
        (Type::Map(item), Value::Object(fields)) => {
            fields.iter().for_each(|(key, value)| check(value, item, service, &below(key), out));
        }
        (Type::List(item), Value::Array(items)) => {
            for (at, value) in items.iter().enumerate() {
                check(value, item, service, &format!("{name}[{at}]"), out);
            }
        }
        (Type::Text | Type::Timestamp, Value::String(_))
        | (Type::Boolean, Value::Bool(_))
        | (Type::Double, Value::Number(_)) => {}
        (Type::Integer, Value::Number(number)) if number.is_i64() => {}
        (of, value) => out.push(format!(
            "Invalid type for parameter {shown}, value: {}, type: <class '{}'>, valid types: {}",
            value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            python(value),
            valid(of)
        )),
    }
}

/// The type that Python has for a value.
fn python(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn valid(of: &Type) -> &'static str {
    match of {
        Type::Text | Type::Timestamp => "<class 'str'>",
        Type::Integer => "<class 'int'>",
        Type::Double => "<class 'float'>, <class 'decimal.Decimal'>, <class 'int'>",
        Type::Boolean => "<class 'bool'>",
        Type::List(_) => "<class 'list'>, <class 'tuple'>",
        Type::Map(_) | Type::Structure(_) => "<class 'dict'>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::model;

    fn input(text: &str) -> Result<Value, Wrong> {
        let args: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let line = Line::read(&args)?;
        let service = model::service(&line.words[0]).expect("a service");
        let operation = service.operation(&line.words[1]).expect("an operation");
        line.input(service, operation, &Machine::default())
    }

    #[test]
    fn options_become_parameters_of_their_type() {
        let group = "eks update-nodegroup-config --cluster-name a --nodegroup-name b";
        assert_eq!(
            input(&format!(
                "{group} --scaling-config minSize=1,maxSize=3 --labels addOrUpdateLabels={{a=b}}"
            )),
            Ok(
                json!({"clusterName": "a", "nodegroupName": "b", "scalingConfig": {"minSize": 1, "maxSize": 3},
                "labels": {"addOrUpdateLabels": {"a": "b"}}})
            )
        );
        assert_eq!(
            input(
                "ec2 describe-instances --instance-ids i-1 i-2 --filters Name=a,Values=b Name=c,Values=d,e"
            ),
            Ok(json!({"InstanceIds": ["i-1", "i-2"],
                "Filters": [{"Name": "a", "Values": ["b"]}, {"Name": "c", "Values": ["d", "e"]}]}))
        );
        assert_eq!(
            input("eks update-nodegroup-version --cluster-name=a --nodegroup-name b --force --region x"),
            Ok(json!({"clusterName": "a", "nodegroupName": "b", "force": true}))
        );
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_in_the_words_of_the_cli() {
        let usage = |text: &str| Err(Wrong::Usage(text.to_owned()));
        assert_eq!(
            input("eks describe-nodegroup --cluster-name a"),
            usage("the following arguments are required: --nodegroup-name")
        );
        assert_eq!(input("eks list-clusters --region"), usage("argument --region: expected one argument"));
        assert_eq!(
            input("eks list-clusters --colour x"),
            Err(Wrong::Unknown("Unknown options: --colour, x".to_owned()))
        );
        let group = "eks update-nodegroup-config --cluster-name a --nodegroup-name b --scaling-config";
        let value = |text: &str| Err(Wrong::Value(text.to_owned()));
        assert_eq!(
            input(&format!("{group} size=1")),
            value(
                "Parameter validation failed:\nUnknown parameter in scalingConfig: \"size\", must be one of: minSize, maxSize, desiredSize"
            )
        );
        assert_eq!(
            input(&format!("{group} minSize=x")),
            value(
                "Parameter validation failed:\nInvalid type for parameter scalingConfig.minSize, value: x, type: <class 'str'>, valid types: <class 'int'>"
            )
        );
        assert_eq!(
            input("eks list-clusters --max-results x"),
            value("invalid literal for int() with base 10: 'x'")
        );
    }
}
