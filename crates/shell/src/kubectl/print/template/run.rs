//! What does a parsed template print for a value?

use serde_json::Value;

use super::{
    super::columns_text,
    call::Arg,
    call::{self, truth},
    parse::{Command, Node, Operand, Pipe, Tree, What},
};

/// A value; `None` where there is none, such as a field that is missing.
pub(super) type Maybe = Option<Value>;

/// Why a list of nodes ended early.
enum Stop {
    Break,
    Continue,
    Error(String),
}

/// How many templates one prints within another, as the message says.
const MOST_TEMPLATES: usize = 100_000;
/// How deep they really go. MODEL: nobody but one who calls himself gets there.
const DEEPEST: usize = 200;

struct Run<'t, 'o> {
    text: &'t str,
    tree: &'t Tree,
    needs_keys: bool,
    /// The template that is being printed: `output` or a defined one.
    name: &'t str,
    depth: usize,
    /// How many were printed.
    called: usize,
    names: Vec<(String, Maybe)>,
    out: &'o mut String,
}

/// Prints as far as it goes.
pub(super) fn template(
    text: &str,
    tree: &Tree,
    needs_keys: bool,
    value: &Value,
    out: &mut String,
) -> Result<(), String> {
    let names = vec![("$".to_owned(), Some(value.clone()))];
    let mut run = Run { text, tree, needs_keys, name: "output", depth: 0, called: 0, names, out };
    match run.list(&tree.nodes, &Some(value.clone())) {
        Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(()),
        Err(Stop::Error(error)) => Err(error),
    }
}

impl<'t> Run<'t, '_> {
    fn wrong<T>(&self, at: usize, context: &str, what: &str) -> Result<T, Stop> {
        let before = &self.text[..at.min(self.text.len())];
        let column = before.rfind('\n').map_or(before.len(), |newline| before.len() - newline - 1);
        let line = 1 + before.matches('\n').count();
        Err(Stop::Error(format!(
            "template: output:{line}:{column}: executing {:?} at <{context}>: {what}",
            self.name
        )))
    }

    fn list(&mut self, nodes: &[Node], dot: &Maybe) -> Result<(), Stop> {
        let seen = self.names.len();
        for node in nodes {
            self.node(node, dot)?;
        }
        self.names.truncate(seen);
        Ok(())
    }

    fn template(&mut self, at: usize, name: &str, of: Option<&Pipe>, dot: &Maybe) -> Result<(), Stop> {
        let pipe = of.map(|of| format!(" {}", of.text())).unwrap_or_default();
        let text = format!("{{{{template {name:?}{pipe}}}}}");
        let tree = self.tree;
        let Some((name, nodes)) = tree.defined.get_key_value(name) else {
            return self.wrong(at, &text, &format!("template {name:?} not defined"));
        };
        if self.depth >= DEEPEST || self.called >= MOST_TEMPLATES {
            return self.wrong(at, &text, &format!("exceeded maximum template depth ({MOST_TEMPLATES})"));
        }
        let value = match of {
            Some(of) => self.pipe(of, dot)?,
            None => None,
        };
        let names = std::mem::replace(&mut self.names, vec![("$".to_owned(), value.clone())]);
        let around = std::mem::replace(&mut self.name, name);
        self.depth += 1;
        self.called += 1;
        self.list(nodes, &value)?;
        self.depth -= 1;
        (self.names, self.name) = (names, around);
        Ok(())
    }

    fn node(&mut self, node: &Node, dot: &Maybe) -> Result<(), Stop> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.names.is_empty() {
                    self.out.push_str(&printed(&value));
                }
            }
            Node::If { test, body, otherwise } => {
                let seen = self.names.len();
                let branch = if truth(&self.pipe(test, dot)?) { body } else { otherwise };
                self.list(branch, dot)?;
                self.names.truncate(seen);
            }
            Node::With { of, body, otherwise } => {
                let seen = self.names.len();
                let value = self.pipe(of, dot)?;
                if truth(&value) {
                    self.list(body, &value)?;
                } else {
                    self.list(otherwise, dot)?;
                }
                self.names.truncate(seen);
            }
            Node::Range { of, body, otherwise } => self.range(of, body, otherwise, dot)?,
            Node::Break => return Err(Stop::Break),
            Node::Continue => return Err(Stop::Continue),
            Node::Template { at, name, of } => self.template(*at, name, of.as_ref(), dot)?,
        }
        Ok(())
    }

    fn range(&mut self, of: &Pipe, body: &[Node], otherwise: &[Node], dot: &Maybe) -> Result<(), Stop> {
        let seen = self.names.len();
        let bare = Pipe { names: Vec::new(), ..of.clone() };
        let value = self.pipe(&bare, dot)?;
        let entries: Vec<(Value, Value)> = match value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => {
                items.into_iter().enumerate().map(|(i, item)| (Value::from(i), item)).collect()
            }
            Some(Value::Object(fields)) => fields.into_iter().map(|(k, v)| (Value::from(k), v)).collect(),
            Some(other) => {
                let text = of.commands.first().map(Command::text).unwrap_or_default();
                let at = of.commands.first().map_or(0, |it| it.words.last().map_or(it.at, |word| word.at));
                return self.wrong(at, &text, &format!("range can't iterate over {}", columns_text(&other)));
            }
        };
        if entries.is_empty() {
            return self.list(otherwise, dot);
        }
        for (key, item) in entries {
            let item = Some(item);
            match of.names.as_slice() {
                [] => {}
                [one] => self.names.push((one.clone(), item.clone())),
                [first, second, ..] => {
                    self.names.push((first.clone(), Some(key)));
                    self.names.push((second.clone(), item.clone()));
                }
            }
            let done = self.list(body, &item);
            self.names.truncate(seen);
            match done {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Maybe) -> Result<Maybe, Stop> {
        let mut value = None;
        for (i, command) in pipe.commands.iter().enumerate() {
            let last = (i > 0).then_some(value.take());
            value = self.command(command, dot, last)?;
        }
        for name in &pipe.names {
            let there = self.names.iter_mut().rev().find(|(it, _)| it == name).filter(|_| pipe.assigns);
            match there {
                Some((_, old)) => *old = value.clone(),
                None if pipe.assigns => {
                    let last = pipe.commands.last().and_then(|command| command.words.last());
                    let (at, text) = last.map_or((0, ""), |word| (word.at, word.text.as_str()));
                    return self.wrong(at, text, &format!("undefined variable: {name}"));
                }
                None => self.names.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    /// Evaluates a command; `last` is what the one before it handed on.
    fn command(&mut self, command: &Command, dot: &Maybe, last: Option<Maybe>) -> Result<Maybe, Stop> {
        let Some((first, rest)) = command.words.split_first() else { return Ok(None) };
        let What::Function(name) = &first.what else {
            if !rest.is_empty() || last.is_some() {
                return match &first.what {
                    What::Fields(fields) | What::Variable(_, fields) | What::Pipe(_, fields)
                        if !fields.is_empty() =>
                    {
                        let field = fields.last().map(String::as_str).unwrap_or_default();
                        self.wrong(
                            first.at,
                            &first.text,
                            &format!("{field} is not a method but has arguments"),
                        )
                    }
                    _ => self.wrong(
                        first.at,
                        &first.text,
                        &format!("can't give argument to non-function {}", first.text),
                    ),
                };
            }
            if matches!(first.what, What::Nil) {
                return self.wrong(first.at, "nil", "nil is not a command");
            }
            return self.operand(first, dot);
        };
        // These two look no further than they must.
        let decides = |value: &Maybe| (name == "or" && truth(value)) || (name == "and" && !truth(value));
        let mut values = Vec::new();
        for word in rest {
            let value = self.operand(word, dot)?;
            if decides(&value) {
                return Ok(value);
            }
            let is_int = matches!(&word.what, What::Literal(Value::Number(number)) if !number.is_f64());
            values.push(Arg { value, is_int, text: word.text.clone() });
        }
        values.extend(last.map(|value| Arg { value, is_int: false, text: String::new() }));
        call::function(name, values).or_else(|what| self.wrong(command.at, &command.text(), &what))
    }

    fn operand(&mut self, operand: &Operand, dot: &Maybe) -> Result<Maybe, Stop> {
        match &operand.what {
            What::Dot => Ok(dot.clone()),
            What::Nil => Ok(None),
            What::Literal(value) => Ok(Some(value.clone())),
            What::Function(name) => {
                call::function(name, Vec::new()).or_else(|what| self.wrong(operand.at, &operand.text, &what))
            }
            What::Fields(fields) => self.fields(operand, dot.clone(), fields),
            What::Variable(name, fields) => {
                let Some((_, value)) = self.names.iter().rev().find(|(it, _)| it == name) else {
                    return self.wrong(operand.at, &operand.text, &format!("undefined variable: {name}"));
                };
                self.fields(operand, value.clone(), fields)
            }
            What::Pipe(pipe, fields) => {
                let value = self.pipe(pipe, dot)?;
                self.fields(operand, value, fields)
            }
        }
    }

    fn fields(&self, operand: &Operand, from: Maybe, fields: &[String]) -> Result<Maybe, Stop> {
        let is_concrete = matches!(operand.what, What::Variable(..) | What::Pipe(..));
        let mut value = from;
        for (i, name) in fields.iter().enumerate() {
            let of =
                if i == 0 && is_concrete { value.as_ref().map_or("", call::go_type) } else { "interface {}" };
            value = match value {
                None => None,
                Some(Value::Object(mut map)) => {
                    let found = map.remove(name);
                    if found.is_none() && self.needs_keys {
                        let what = format!("map has no entry for key {name:?}");
                        return self.wrong(operand.at, &operand.text, &what);
                    }
                    found
                }
                Some(Value::Null) => {
                    return self.wrong(
                        operand.at,
                        &operand.text,
                        &format!("nil pointer evaluating {of}.{name}"),
                    );
                }
                Some(_) => {
                    return self.wrong(
                        operand.at,
                        &operand.text,
                        &format!("can't evaluate field {name} in type {of}"),
                    );
                }
            };
        }
        Ok(value)
    }
}

/// A value as an action prints it.
fn printed(value: &Maybe) -> String {
    match value {
        None | Some(Value::Null) => "<no value>".to_owned(),
        Some(value) => columns_text(value),
    }
}
