//! How is an expression asked, step by step?
//!
//! Source: the CEL specification; messages of cel-go `interpreter`.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    DEAREST_CALL, Scope,
    ast::{Expr, Fold, FoldKind, Node, dotted},
    declare::type_named,
    library,
    value::{MapKey, Val},
};

/// What is said when the budget is spent.
const SPENT: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

/// What is said when one asking is too dear.
pub(crate) const TOO_DEAR: &str = "operation cancelled: actual cost limit exceeded";

type Found = Result<Val, String>;

/// One asking of an expression.
pub(super) struct Evaluation<'v, 'b> {
    scope: &'v Scope<'v>,
    budget: &'b mut u64,
    /// What this asking may still cost by itself.
    left: u64,
    /// Names that macros bind, innermost last.
    bound: Vec<(String, Val)>,
}

/// Whether nothing else matters once this is said.
fn is_final(error: &str) -> bool {
    error == SPENT || error == TOO_DEAR
}

pub(super) fn no_overload() -> String {
    "no such overload".to_owned()
}

fn no_key(field: impl std::fmt::Display) -> String {
    format!("no such key: {field}")
}

impl<'v, 'b> Evaluation<'v, 'b> {
    pub(super) fn new(scope: &'v Scope<'v>, budget: &'b mut u64) -> Self {
        Self { scope, budget, left: DEAREST_CALL, bound: Vec::new() }
    }

    fn pay(&mut self, cost: usize) -> Result<(), String> {
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        self.left = match self.left.checked_sub(cost) {
            Some(left) => left,
            None => return Err(TOO_DEAR.to_owned()),
        };
        match self.budget.checked_sub(cost) {
            Some(left) => {
                *self.budget = left;
                Ok(())
            }
            None => {
                *self.budget = 0;
                Err(SPENT.to_owned())
            }
        }
    }

    pub(super) fn value(&mut self, expr: &Expr) -> Found {
        self.pay(1)?;
        match &expr.node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Name(name) => self.name(name),
            Node::Select { of, field, optional } => self.select(expr, of, field, *optional),
            Node::Has { of, field } => self.has(of, field),
            Node::Call { name, target, args } => self.call(name, target.as_deref(), args),
            Node::List(items) => {
                let mut made = Vec::new();
                for (item, optional) in items {
                    match (self.value(item)?, optional) {
                        (Val::Optional(value), true) => made.extend(value.as_deref().cloned()),
                        (value, _) => made.push(value),
                    }
                }
                self.pay(made.len())?;
                Ok(Val::list(made))
            }
            Node::Map(entries) => {
                let mut made = BTreeMap::new();
                for (key, value, optional) in entries {
                    let key = MapKey::of(&self.value(key)?).ok_or("unsupported key type")?;
                    match (self.value(value)?, optional) {
                        (Val::Optional(value), true) => {
                            made.extend(value.as_deref().map(|value| (key, value.clone())));
                        }
                        (value, _) => {
                            made.insert(key, value);
                        }
                    }
                }
                Ok(Val::Map(Rc::new(made)))
            }
            Node::Made(name) => Err(format!("no such type: {name}")),
            Node::Fold(fold) => self.fold(fold),
            Node::Opt { of, name, then, flat } => match self.value(of)? {
                Val::Optional(None) => Ok(Val::Optional(None)),
                Val::Optional(Some(value)) => {
                    self.bound.push((name.clone(), value.as_ref().clone()));
                    let made = self.value(then);
                    self.bound.pop();
                    let made = made?;
                    Ok(if *flat { made } else { Val::Optional(Some(Rc::new(made))) })
                }
                _ => Err(no_overload()),
            },
        }
    }

    fn known(&self, name: &str) -> Option<Val> {
        let bound = self.bound.iter().rev().find(|(bound, _)| bound == name).map(|(_, value)| value.clone());
        bound.or_else(|| self.scope.names.get(name).cloned())
    }

    fn name(&mut self, name: &str) -> Found {
        if let Some(value) = self.known(name) {
            return Ok(value);
        }
        if type_named(name).is_some() {
            return Ok(Val::Type(Rc::from(name)));
        }
        Err(format!("no such attribute(s): {name}"))
    }

    fn select(&mut self, whole: &Expr, of: &Expr, field: &str, optional: bool) -> Found {
        if self.scope.has_variables && matches!(&of.node, Node::Name(name) if name == "variables") {
            let found = self.scope.variables.iter().find(|(name, _)| name == field);
            return match found {
                Some((_, Ok(value))) => Ok(value.clone()),
                Some((_, Err(error))) => {
                    Err(format!("composited variable \"{field}\" fails to evaluate: {error}"))
                }
                None => Err(no_key(field)),
            };
        }
        if let Some(name) = dotted(whole)
            && self.known(name.split('.').next().unwrap_or_default()).is_none()
            && type_named(&name).is_some()
        {
            return Ok(Val::Type(Rc::from(name.as_str())));
        }
        // A name with dots, such as `authorizer.requestResource`.
        if let Some(value) = dotted(whole).and_then(|name| self.known(&name)) {
            return Ok(value);
        }
        match self.value(of)? {
            Val::Optional(None) => Ok(Val::Optional(None)),
            Val::Optional(Some(value)) => Ok(Val::Optional(get(&value, field).map(Rc::new))),
            value if optional => Ok(Val::Optional(get(&value, field).map(Rc::new))),
            Val::Map(fields) => {
                fields.get(&MapKey::Text(Rc::from(field))).cloned().ok_or_else(|| no_key(field))
            }
            _ => Err(no_key(field)),
        }
    }

    fn has(&mut self, of: &Expr, field: &str) -> Found {
        Ok(Val::Bool(match self.value(of)? {
            Val::Map(fields) => fields.contains_key(&MapKey::Text(Rc::from(field))),
            Val::Optional(value) => value.is_some_and(|value| get(&value, field).is_some()),
            Val::Null => return Err(no_key(field)),
            _ => return Err(no_overload()),
        }))
    }

    fn call(&mut self, name: &str, target: Option<&Expr>, args: &[Expr]) -> Found {
        match (name, args) {
            ("_&&_", [a, b]) => return self.logical(a, b, false),
            ("_||_", [a, b]) => return self.logical(a, b, true),
            ("_?_:_", [test, yes, no]) => {
                return match self.value(test)? {
                    Val::Bool(true) => self.value(yes),
                    Val::Bool(false) => self.value(no),
                    _ => Err(no_overload()),
                };
            }
            ("_[_]" | "_[?_]", [of, at]) => {
                let (of, at) = (self.value(of)?, self.value(at)?);
                return index(&of, &at, name == "_[?_]");
            }
            ("or" | "orValue", [other]) if target.is_some() => {
                if let Some(target) = target
                    && let Val::Optional(found) = self.value(target)?
                {
                    return match found {
                        Some(value) if name == "orValue" => Ok(value.as_ref().clone()),
                        Some(value) => Ok(Val::Optional(Some(value))),
                        None => self.value(other),
                    };
                }
                return Err(no_overload());
            }
            _ => {}
        }
        let mut values = Vec::new();
        let mut whole = name.to_owned();
        let mut is_member = false;
        if let Some(target) = target {
            let spaced = dotted(target).map(|before| format!("{before}.{name}"));
            match spaced.filter(|it| library::is_spaced(it)) {
                Some(spaced) => whole = spaced,
                None => {
                    is_member = true;
                    values.push(self.value(target)?);
                }
            }
        }
        for arg in args {
            values.push(self.value(arg)?);
        }
        if let ("check", [Val::Check(check), Val::Text(verb)]) = (name, values.as_slice()) {
            self.pay(library::authorizer::CHECK)?;
            let authorizer = self.scope.authorizer.ok_or_else(no_overload)?;
            return Ok(Val::Verdict(Rc::new(authorizer(check, verb))));
        }
        let cost: usize = values.iter().map(|value| value.weight() / 10).sum();
        self.pay(cost)?;
        let result = library::call(&whole, is_member, &values)?;
        self.pay(result.weight() / 10)?;
        Ok(result)
    }

    /// `a && b`, `a || b`: one side that decides makes the other's error nothing.
    fn logical(&mut self, a: &Expr, b: &Expr, decides: bool) -> Found {
        let mut failed = None;
        for side in [a, b] {
            match self.value(side) {
                Ok(Val::Bool(is)) if is == decides => return Ok(Val::Bool(decides)),
                Ok(Val::Bool(_)) => {}
                Ok(_) => failed = failed.or_else(|| Some(no_overload())),
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Val::Bool(!decides)), Err)
    }

    fn fold(&mut self, fold: &Fold) -> Found {
        let two = fold.names.len() == 2;
        let items: Vec<(Val, Val)> = match self.value(&fold.range)? {
            Val::List(items) if two => {
                let at = |at: usize| Val::Int(i64::try_from(at).unwrap_or(i64::MAX));
                items.iter().enumerate().map(|(n, item)| (at(n), item.clone())).collect()
            }
            Val::List(items) => items.iter().map(|item| (item.clone(), Val::Null)).collect(),
            Val::Map(fields) => fields.iter().map(|(key, value)| (key.value(), value.clone())).collect(),
            _ => return Err(no_overload()),
        };
        let had = self.bound.len();
        let mut made = Made::default();
        for (first, second) in items {
            let names = fold.names.iter().zip([first.clone(), second]);
            self.bound.extend(names.map(|(name, value)| (name.clone(), value)));
            let step = self.step(fold, first, &mut made);
            self.bound.truncate(had);
            if step? {
                break;
            }
        }
        match fold.kind {
            FoldKind::All | FoldKind::Exists => match (made.decided, made.failed) {
                (true, _) => Ok(Val::Bool(fold.kind == FoldKind::Exists)),
                (false, Some(error)) => Err(error),
                (false, None) => Ok(Val::Bool(fold.kind == FoldKind::All)),
            },
            FoldKind::ExistsOne => Ok(Val::Bool(made.count == 1)),
            FoldKind::Filter | FoldKind::List => Ok(Val::list(made.items)),
            FoldKind::Map | FoldKind::Entries => Ok(Val::Map(Rc::new(made.entries))),
        }
    }

    /// Looks at one item; whether no more need be looked at.
    fn step(&mut self, fold: &Fold, first: Val, made: &mut Made) -> Result<bool, String> {
        if let Some(only) = &fold.only {
            match self.value(only)? {
                Val::Bool(true) => {}
                Val::Bool(false) => return Ok(false),
                _ => return Err(no_overload()),
            }
        }
        let body = match (self.value(&fold.body), fold.kind) {
            (Ok(body), _) => body,
            // An item that cannot be asked only matters if no other decides.
            (Err(error), FoldKind::All | FoldKind::Exists) if !is_final(&error) => {
                made.failed.get_or_insert(error);
                return Ok(false);
            }
            (Err(error), _) => return Err(error),
        };
        match (fold.kind, body) {
            (FoldKind::All, Val::Bool(is)) => made.decided |= !is,
            (FoldKind::Exists, Val::Bool(is)) => made.decided |= is,
            (FoldKind::All | FoldKind::Exists, _) => {
                made.failed.get_or_insert_with(no_overload);
            }
            (FoldKind::ExistsOne, Val::Bool(is)) => made.count += usize::from(is),
            (FoldKind::Filter, Val::Bool(is)) => made.items.extend(is.then_some(first)),
            (FoldKind::ExistsOne | FoldKind::Filter, _) => return Err(no_overload()),
            (FoldKind::List, body) => made.items.push(body),
            (FoldKind::Map, body) => {
                made.entries.insert(MapKey::of(&first).ok_or("unsupported key type")?, body);
            }
            (FoldKind::Entries, body) => {
                let key = MapKey::of(&body).ok_or("unsupported key type")?;
                let value = fold.value.as_ref().map_or(Ok(Val::Null), |value| self.value(value))?;
                if made.entries.insert(key, value).is_some() {
                    return Err(format!("insert failed: key {} already exists", library::shown(&body)));
                }
            }
        }
        Ok(made.decided)
    }
}

/// What a macro has so far.
#[derive(Default)]
struct Made {
    decided: bool,
    failed: Option<String>,
    count: usize,
    items: Vec<Val>,
    entries: BTreeMap<MapKey, Val>,
}

fn get(value: &Val, field: &str) -> Option<Val> {
    match value {
        Val::Map(fields) => fields.get(&MapKey::Text(Rc::from(field))).cloned(),
        _ => None,
    }
}

fn index(of: &Val, at: &Val, optional: bool) -> Found {
    let (of, was) = match of {
        Val::Optional(None) => return Ok(Val::Optional(None)),
        Val::Optional(Some(value)) => (value.as_ref(), true),
        other => (other, false),
    };
    let found = match of {
        Val::List(items) => match MapKey::of(at) {
            Some(MapKey::Int(place)) => {
                let item = usize::try_from(place).ok().and_then(|place| items.get(place));
                item.cloned().ok_or_else(|| format!("index out of bounds: {place}"))
            }
            _ => return Err(no_overload()),
        },
        Val::Map(fields) => match MapKey::of(at) {
            Some(key) => fields.get(&key).cloned().ok_or_else(|| no_key(library::shown(at))),
            None => return Err(format!("unsupported key type: {}", at.type_name())),
        },
        _ => return Err(no_overload()),
    };
    if optional || was { Ok(Val::Optional(found.ok().map(Rc::new))) } else { found }
}
