//! What may an expression cost at most, before anybody asks it?
//!
//! The costs are the API server's, whose limits are told in them: one for a name or a field, a tenth for each letter of a text that is
//! gone through, and what is done for each item as often as there may be items.
//! Source: cel-go `checker/cost.go`, `common/cost.go`, `parser/macro.go`, `ext/comprehensions.go`, `cel/library.go`.

use std::collections::BTreeMap;

use super::{
    ast::{Expr, Fold, FoldKind, Node, dotted},
    check::Notes,
    declare::type_named,
    library,
    types::Type,
    value::Val,
};

mod call;
mod range;

pub(super) use self::range::Range;
use self::range::{UNKNOWN, fixed};

const ONE: Range = fixed(1);
const LIST: Range = fixed(10);
const MAP: Range = fixed(30);

/// How much may stand where a schema says what stands there.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    /// The most letters or items.
    pub most: u64,
    /// The fewest bytes that it takes in JSON.
    pub least: u64,
    /// Of a map's keys.
    pub keys: Option<Box<Sizes>>,
    /// Of a list's items, of a map's values.
    pub items: Option<Box<Sizes>>,
    /// Of an object's fields.
    pub fields: BTreeMap<String, Sizes>,
}

/// How long the keys and the values of a list or map are.
#[derive(Clone, Copy)]
struct Entry {
    is_list: bool,
    key: Range,
    value: Range,
}

impl Entry {
    fn union(one: Option<Entry>, other: Option<Entry>) -> Option<Entry> {
        let (one, other) = (one?, other?);
        Some(Entry { key: one.key.union(other.key), value: one.value.union(other.value), ..one })
    }
}

/// A name that a macro binds.
#[derive(Default)]
struct Local {
    path: Vec<String>,
    size: Option<Range>,
    entry: Option<Entry>,
}

/// A part as functions look at it.
struct Seen<'e> {
    path: Vec<String>,
    type_: Type,
    size: Option<Range>,
    entry: Option<Entry>,
    expr: &'e Expr,
}

/// The cost of an expression whose `self` is so large.
pub(super) fn estimate(root: &Expr, notes: &Notes, sizes: &Sizes) -> Range {
    let mut coster = Coster {
        notes,
        sizes,
        paths: BTreeMap::new(),
        computed: BTreeMap::new(),
        entries: BTreeMap::new(),
        locals: Vec::new(),
    };
    coster.cost(root)
}

struct Coster<'n> {
    notes: &'n Notes,
    sizes: &'n Sizes,
    /// Where in the schema parts stand, by their ids.
    paths: BTreeMap<u64, Vec<String>>,
    computed: BTreeMap<u64, Range>,
    entries: BTreeMap<u64, Entry>,
    locals: Vec<(String, Local)>,
}

/// `test ? yes : no`.
fn either(test: Range, yes: Range, no: Range) -> Range {
    test + yes.union(no)
}

impl Coster<'_> {
    fn type_of(&self, expr: &Expr) -> Type {
        self.notes.types.get(&expr.id).cloned().unwrap_or(Type::Dyn)
    }

    fn local(&self, name: &str) -> Option<&Local> {
        self.locals.iter().rev().find(|(it, _)| it == name).map(|(_, local)| local)
    }

    fn path(&self, expr: &Expr) -> Vec<String> {
        if let Node::Name(name) = &expr.node
            && let Some(local) = self.local(name)
        {
            return local.path.clone();
        }
        self.paths.get(&expr.id).cloned().unwrap_or_default()
    }

    fn below(&self, expr: &Expr, part: &str) -> Vec<String> {
        let mut path = self.path(expr);
        path.push(part.to_owned());
        path
    }

    /// UPSTREAM: the first part is taken for the root whatever it is.
    fn size_at(&self, path: &[String]) -> Option<Range> {
        let mut at = self.sizes;
        for part in path.get(1..)? {
            at = match part.as_str() {
                "@items" | "@values" => at.items.as_deref()?,
                "@keys" => at.keys.as_deref()?,
                name => at.fields.get(name)?,
            };
        }
        Some(Range { least: 0, most: at.most })
    }

    fn size(&mut self, expr: &Expr) -> Option<Range> {
        if let Some(size) = self.computed.get(&expr.id) {
            return Some(*size);
        }
        let written = match &expr.node {
            Node::Literal(Val::Text(text)) => Some(text.chars().count()),
            Node::Literal(Val::Bytes(bytes)) => Some(bytes.len()),
            Node::Literal(_) => Some(1),
            Node::List(items) => Some(items.len()),
            Node::Map(entries) => Some(entries.len()),
            _ => None,
        };
        if let Some(written) = written {
            return Some(fixed(written as u64));
        }
        if let Some(size) = self.size_at(&self.path(expr)) {
            self.computed.insert(expr.id, size);
            return Some(size);
        }
        if is_scalar(&self.type_of(expr)) {
            return Some(ONE);
        }
        match &expr.node {
            Node::Name(name) => self.local(name)?.size,
            _ => None,
        }
    }

    fn entry(&self, expr: &Expr) -> Option<Entry> {
        let known = self.entries.get(&expr.id).copied();
        known.or_else(|| match &expr.node {
            Node::Name(name) => self.local(name)?.entry,
            _ => None,
        })
    }

    fn seen<'e>(&mut self, expr: &'e Expr) -> Seen<'e> {
        Seen {
            path: self.path(expr),
            type_: self.type_of(expr),
            size: self.size(expr),
            entry: self.entry(expr),
            expr,
        }
    }

    fn cost(&mut self, expr: &Expr) -> Range {
        match &expr.node {
            Node::Literal(_) | Node::Made(_) => fixed(0),
            Node::Name(name) => {
                let path = self.local(name).map_or_else(|| vec![name.clone()], |local| local.path.clone());
                self.paths.insert(expr.id, path);
                ONE
            }
            Node::Select { of, optional: true, .. } => self.cost(of) + ONE,
            Node::Select { of, field, optional: false } => {
                // The name of a type is one name, dots or not.
                if let Some(name) = dotted(expr).filter(|name| type_named(name).is_some()) {
                    self.paths.insert(expr.id, vec![name]);
                    return ONE;
                }
                let cost = self.cost(of);
                self.paths.insert(expr.id, self.below(of, field));
                match self.type_of(of) {
                    Type::Map(_) | Type::Object(_) => cost + ONE,
                    _ => cost,
                }
            }
            // UPSTREAM: asking whether a field is there costs nothing beside what it is asked of.
            Node::Has { of, .. } => self.cost(of),
            Node::Call { name, target, args } => self.call(expr, name, target.as_deref(), args),
            Node::List(items) => {
                let mut cost = LIST;
                let mut value = Range { least: if items.is_empty() { 0 } else { u64::MAX }, most: 0 };
                for (item, _) in items {
                    cost = cost + self.cost(item);
                    value = value.union(self.size(item).unwrap_or(UNKNOWN));
                }
                self.entries.insert(expr.id, Entry { is_list: true, key: ONE, value });
                cost
            }
            Node::Map(entries) => {
                let mut cost = MAP;
                let none = Range { least: if entries.is_empty() { 0 } else { u64::MAX }, most: 0 };
                let (mut keys, mut values) = (none, none);
                for (key, value, _) in entries {
                    cost = cost + self.cost(key) + self.cost(value);
                    keys = keys.union(self.size(key).unwrap_or(UNKNOWN));
                    values = values.union(self.size(value).unwrap_or(UNKNOWN));
                }
                self.entries.insert(expr.id, Entry { is_list: false, key: keys, value: values });
                cost
            }
            Node::Fold(fold) => self.fold(expr, fold),
            Node::Opt { of, name, then, flat } => self.opt(expr, of, name, then, *flat),
        }
    }

    fn call(&mut self, expr: &Expr, name: &str, target: Option<&Expr>, args: &[Expr]) -> Range {
        if let ("dyn", None, [arg]) = (name, target, args) {
            let cost = self.cost(arg);
            if let Some(size) = self.size(arg) {
                self.computed.insert(expr.id, size);
            }
            if let Some(entry) = self.entry(arg) {
                self.entries.insert(expr.id, entry);
            }
            return cost + ONE;
        }
        let spaced = target.and_then(dotted).map(|before| format!("{before}.{name}"));
        let (name, target) = match spaced.filter(|it| library::is_spaced(it)) {
            Some(whole) => (whole, None),
            None => (name.to_owned(), target),
        };
        let mut costs = Vec::new();
        let mut seen = Vec::new();
        for arg in args {
            costs.push(self.cost(arg));
            seen.push(self.seen(arg));
        }
        let mut cost = fixed(0);
        let target = target.map(|target| {
            cost = cost + self.cost(target);
            self.seen(target)
        });
        let notes = self.notes;
        let no_overload = [Vec::new()];
        let chosen = notes.chosen.get(&expr.id).map_or(&no_overload[..], Vec::as_slice);
        let mut own = Range { least: u64::MAX, most: 0 };
        let mut result: Option<Range> = None;
        for overload in chosen {
            let made = self.overload(&name, overload, target.as_ref(), &seen, &costs);
            own = own.union(made.cost);
            result = match (result, made.size) {
                (Some(one), Some(other)) => Some(one.union(other)),
                (one, other) => one.or(other),
            };
            if let Some(entry) = made.entry {
                self.entries.insert(expr.id, entry);
            }
            if let ("_[_]", Some(first), Some(of)) = (name.as_str(), overload.first(), args.first()) {
                let part = match first {
                    Type::List(_) => Some("@items"),
                    Type::Map(_) => Some("@values"),
                    _ => None,
                };
                if let Some(part) = part {
                    result = self.entry(of).map(|entry| entry.value);
                    self.paths.insert(expr.id, self.below(of, part));
                }
            }
            if result.is_none() {
                result = self.size(expr);
            }
        }
        if let Some(size) = result {
            self.computed.insert(expr.id, size);
        }
        cost + own
    }

    /// Binds the names of a macro, in the order of [`Fold::names`].
    fn bind(&mut self, fold: &Fold) {
        let entry = self.entry(&fold.range);
        let is_list =
            entry.map_or_else(|| matches!(self.type_of(&fold.range), Type::List(_)), |entry| entry.is_list);
        let (key, value) = if is_list { ("@indices", "@items") } else { ("@keys", "@values") };
        let of_key = (key, entry.map(|entry| entry.key));
        let of_value = (value, entry.map(|entry| entry.value));
        let parts = match fold.names.len() {
            2 => vec![of_key, of_value],
            _ if is_list => vec![of_value],
            _ => vec![of_key],
        };
        for (name, (part, size)) in fold.names.iter().zip(parts) {
            let path = self.below(&fold.range, part);
            self.locals.push((name.clone(), Local { path, size, entry: None }));
        }
    }

    /// A macro is a loop: its start, then for each item whether to go on and a step, then its result.
    fn fold(&mut self, expr: &Expr, fold: &Fold) -> Range {
        let range = self.cost(&fold.range);
        let had = self.locals.len();
        self.bind(fold);
        let only = fold.only.as_ref().map(|only| self.cost(only));
        let body = self.cost(&fold.body);
        let value = fold.value.as_ref().map_or(fixed(0), |value| self.cost(value));
        let item = match fold.kind {
            FoldKind::Filter => {
                let name = fold.names.first();
                name.and_then(|name| {
                    let path = self.local(name)?.path.clone();
                    let size = self.size_at(&path);
                    let scalar = || match self.type_of(&fold.range) {
                        Type::List(of) => is_scalar(&of).then_some(ONE),
                        Type::Map(of) => is_scalar(&of.0).then_some(ONE),
                        _ => None,
                    };
                    size.or_else(scalar).or_else(|| self.local(name)?.size)
                })
            }
            FoldKind::List => self.size(&fold.body),
            _ => None,
        };
        self.locals.truncate(had);
        // What is made so far is a name, which costs one wherever it stands.
        let chosen = |step: Range| only.map_or(step, |only| either(only, step, ONE));
        let (start, each, result) = match fold.kind {
            FoldKind::All => (fixed(0), fixed(2) + ONE.or_more(body), ONE),
            FoldKind::Exists => (fixed(0), fixed(3) + ONE.or_more(body), ONE),
            FoldKind::ExistsOne => (fixed(0), either(body, fixed(2), ONE), fixed(2)),
            FoldKind::Filter => (LIST, either(body, fixed(3) + LIST, ONE), ONE),
            FoldKind::List => (LIST, chosen(fixed(2) + LIST + body), ONE),
            FoldKind::Map => (MAP, chosen(fixed(3) + body), ONE),
            FoldKind::Entries => (MAP, chosen(fixed(2) + MAP + body + value), ONE),
        };
        let count = self.size(&fold.range).unwrap_or(UNKNOWN);
        match fold.kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => {
                self.computed.insert(expr.id, ONE);
            }
            FoldKind::Filter | FoldKind::List => {
                self.computed.insert(expr.id, count);
                let value = fixed(0).union(item.unwrap_or(UNKNOWN));
                self.entries.insert(expr.id, Entry { is_list: true, key: ONE, value });
            }
            FoldKind::Map | FoldKind::Entries => {
                self.computed.insert(expr.id, count);
            }
        }
        range + start + result + count * each
    }

    /// `of.hasValue() ? optional.of(then) : optional.none()`, where `then` names `of.value()`.
    fn opt(&mut self, expr: &Expr, of: &Expr, name: &str, then: &Expr, flat: bool) -> Range {
        let of_cost = self.cost(of);
        let (inner, _) = self.type_of(of).within();
        let local = Local { size: is_scalar(&inner).then_some(ONE), ..Local::default() };
        self.locals.push((name.to_owned(), local));
        let then_cost = self.cost(then);
        let size = if flat { self.size(then) } else { is_scalar(&self.type_of(then)).then_some(ONE) };
        self.locals.pop();
        self.computed.insert(expr.id, size.unwrap_or(UNKNOWN));
        let bound = LIST + ONE + of_cost + then_cost;
        either(of_cost + ONE, if flat { bound } else { bound + ONE }, ONE)
    }
}

/// Whether values of a type are all of one size.
fn is_scalar(type_: &Type) -> bool {
    match type_ {
        Type::Bool | Type::Double | Type::Duration | Type::Int | Type::Timestamp | Type::Uint => true,
        Type::Opaque("optional_type", of) => of.first().is_some_and(is_scalar),
        _ => false,
    }
}
