//! Do the types of an expression go together?
//!
//! Source: cel-go `checker/checker.go`, `checker/errors.go`, `cel/validator.go`.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    ast::{Expr, Fold, FoldKind, Node, dotted},
    declare::{overloads, type_named},
    library::{strings, time},
    parse::Wrong,
    types::{Mapping, Type, general},
    value::Val,
};

/// What is known of an expression's parts, by their ids.
#[derive(Default)]
pub(super) struct Notes {
    /// Of which type each is.
    pub(super) types: BTreeMap<u64, Type>,
    /// The ways in which functions may be called there: the types that each takes.
    pub(super) chosen: BTreeMap<u64, Vec<Vec<Type>>>,
}

/// The type of an expression, what is known of its parts, and what is wrong with it.
pub(super) fn check(root: &Expr, names: &[(&str, Type)]) -> (Type, Notes, Vec<Wrong>) {
    let mut checker = Checker {
        names,
        bound: Vec::new(),
        mapping: Mapping::default(),
        wrong: Vec::new(),
        mixes: false,
        notes: Notes::default(),
    };
    let type_ = checker.of(root);
    let type_ = checker.mapping.put_in(&type_, true);
    let mut notes = checker.notes;
    for type_ in notes.types.values_mut() {
        *type_ = checker.mapping.put_in(type_, true);
    }
    let mut wrong = checker.wrong;
    if wrong.is_empty() {
        literals(root, &mut wrong);
    }
    wrong.sort_by_key(|(at, _)| *at);
    (type_, notes, wrong)
}

struct Checker<'n> {
    names: &'n [(&'n str, Type)],
    bound: Vec<(String, Type)>,
    mapping: Mapping,
    wrong: Vec<Wrong>,
    /// Whether lists and maps may hold values of several types.
    mixes: bool,
    notes: Notes,
}

impl Checker<'_> {
    fn complain(&mut self, at: usize, words: String) -> Type {
        self.wrong.push((at, words));
        Type::Error
    }

    fn undeclared(&mut self, at: usize, name: &str) -> Type {
        self.complain(at, format!("undeclared reference to '{name}' (in container '')"))
    }

    fn mismatch(&mut self, at: usize, wanted: &Type, found: &Type) -> Type {
        let words = format!("expected type '{wanted}' but found '{found}'");
        self.complain(at, words)
    }

    fn named(&self, name: &str) -> Option<Type> {
        let bound = self.bound.iter().rev().find(|(it, _)| it == name).map(|(_, type_)| type_.clone());
        bound
            .or_else(|| self.names.iter().find(|(it, _)| *it == name).map(|(_, type_)| type_.clone()))
            .or_else(|| type_named(name).map(|it| Type::TypeOf(Rc::new(it))))
    }

    fn of(&mut self, expr: &Expr) -> Type {
        let type_ = self.found(expr);
        self.notes.types.insert(expr.id, type_.clone());
        type_
    }

    fn found(&mut self, expr: &Expr) -> Type {
        match &expr.node {
            Node::Literal(value) => literal_type(value),
            Node::Name(name) => self.named(name).unwrap_or_else(|| self.undeclared(expr.at, name)),
            Node::Select { of, field, optional } => {
                let known = dotted(expr).and_then(|name| self.named(&name));
                known.unwrap_or_else(|| self.select(expr.at, of, field, *optional))
            }
            Node::Has { of, field } => {
                self.select(expr.at, of, field, false);
                Type::Bool
            }
            Node::Call { name, target, args } => self.call(expr, name, target.as_deref(), args),
            Node::List(items) => {
                let mut all = None;
                for (item, optional) in items {
                    let type_ = self.of(item);
                    let type_ = self.unwrapped(item.at, type_, *optional);
                    all = Some(self.join(item.at, all, type_));
                }
                Type::list(all.unwrap_or_else(|| self.mapping.fresh()))
            }
            Node::Map(entries) => {
                let (mut keys, mut values) = (None, None);
                for (key, value, optional) in entries {
                    let type_ = self.of(key);
                    keys = Some(self.join(key.at, keys, type_));
                    let type_ = self.of(value);
                    let type_ = self.unwrapped(value.at, type_, *optional);
                    values = Some(self.join(value.at, values, type_));
                }
                let key = keys.unwrap_or_else(|| self.mapping.fresh());
                let value = values.unwrap_or_else(|| self.mapping.fresh());
                Type::Map(Rc::new((key, value)))
            }
            Node::Made(name) => self.undeclared(expr.at, name),
            Node::Fold(fold) => self.fold(expr.at, fold),
            Node::Opt { of, name, then, flat } => self.opt(expr.at, of, name, then, *flat),
        }
    }

    fn unwrapped(&mut self, at: usize, type_: Type, optional: bool) -> Type {
        if !optional {
            return type_;
        }
        let (inner, is) = self.mapping.put_in(&type_, false).within();
        if !is && !inner.is_free() {
            return self.mismatch(at, &Type::optional(inner.clone()), &inner);
        }
        inner
    }

    fn join(&mut self, at: usize, all: Option<Type>, one: Type) -> Type {
        match all {
            None => one,
            Some(all) if self.mapping.fits(&all, &one) => general(&all, &one),
            Some(_) if self.mixes => Type::Dyn,
            Some(all) => self.mismatch(at, &all, &one),
        }
    }

    fn select(&mut self, at: usize, of: &Expr, field: &str, optional: bool) -> Type {
        let found = self.of(of);
        let (target, was) = self.mapping.put_in(&found, false).within();
        let result = match &target {
            Type::Map(of) => of.1.clone(),
            Type::Object(of) => match of.fields.get(field).or_else(|| of.fields.get(&format!("__{field}__")))
            {
                Some(type_) => type_.clone(),
                None => self.complain(at, format!("undefined field '{field}'")),
            },
            Type::Param(_) => {
                self.mapping.fits(&Type::Dyn, &target);
                Type::Dyn
            }
            other if other.is_free() => Type::Dyn,
            other => {
                self.complain(at, format!("type '{other}' does not support field selection"));
                Type::Dyn
            }
        };
        let result = if was || optional { Type::optional(result) } else { result };
        self.mapping.put_in(&result, false)
    }

    fn call(&mut self, whole: &Expr, name: &str, target: Option<&Expr>, args: &[Expr]) -> Type {
        let at = whole.at;
        let mixed = self.mixes;
        self.mixes |= name == "format";
        let mut given: Vec<Type> = args.iter().map(|arg| self.of(arg)).collect();
        self.mixes = mixed;
        if matches!(name, "_&&_" | "_||_") {
            let mut result = Type::Bool;
            for (arg, type_) in args.iter().zip(&given) {
                if !self.mapping.fits(type_, &Type::Bool) {
                    let type_ = self.mapping.put_in(type_, false);
                    result = self.mismatch(arg.at, &Type::Bool, &type_);
                }
            }
            return result;
        }
        let Some(target) = target else {
            return match overloads(name, &mut self.mapping) {
                None => self.undeclared(at, name),
                Some(_) => self.chosen(whole, name, false, &given),
            };
        };
        if let Some(name) = dotted(target).map(|before| format!("{before}.{name}"))
            && overloads(&name, &mut self.mapping).is_some()
        {
            return self.chosen(whole, &name, false, &given);
        }
        given.insert(0, self.of(target));
        match overloads(name, &mut self.mapping) {
            None => self.undeclared(at, name),
            Some(_) => self.chosen(whole, name, true, &given),
        }
    }

    /// [`Self::resolve`], noting of a part which ways were chosen.
    fn chosen(&mut self, whole: &Expr, name: &str, is_member: bool, given: &[Type]) -> Type {
        let (type_, chosen) = self.resolve(whole.at, name, is_member, given);
        self.notes.chosen.insert(whole.id, chosen);
        type_
    }

    fn resolve(&mut self, at: usize, name: &str, is_member: bool, given: &[Type]) -> (Type, Vec<Vec<Type>>) {
        let mut result: Option<Type> = None;
        let mut chosen = Vec::new();
        let known = overloads(name, &mut self.mapping).unwrap_or_default();
        for overload in known.iter().filter(|it| it.is_member == is_member) {
            if !self.mapping.fits_all(given, &overload.args) {
                continue;
            }
            let type_ = self.mapping.put_in(&overload.result, false);
            chosen.push(overload.args.clone());
            result = Some(match result {
                None => type_,
                Some(had) if had == Type::Dyn || had == type_ => had,
                Some(_) => Type::Dyn,
            });
        }
        let result = result.unwrap_or_else(|| {
            let given: Vec<String> =
                given.iter().map(|it| self.mapping.put_in(it, true).to_string()).collect();
            let signature = match given.split_first() {
                Some((first, rest)) if is_member => format!("{first}.({})", rest.join(", ")),
                _ => format!("({})", given.join(", ")),
            };
            self.complain(at, format!("found no matching overload for '{name}' applied to '{signature}'"))
        });
        (result, chosen)
    }

    fn fold(&mut self, at: usize, fold: &Fold) -> Type {
        let range = self.of(&fold.range);
        let range = self.mapping.put_in(&range, false);
        let two = fold.names.len() == 2;
        let (first, second) = match &range {
            Type::List(of) if two => (Type::Int, (**of).clone()),
            Type::List(of) => ((**of).clone(), Type::Dyn),
            Type::Map(of) => (of.0.clone(), of.1.clone()),
            Type::Dyn | Type::Error | Type::Param(_) => {
                self.mapping.fits(&Type::Dyn, &range);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let words = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.complain(fold.range.at, words);
                (Type::Error, Type::Error)
            }
        };
        let had = self.bound.len();
        for (name, type_) in fold.names.iter().zip([first.clone(), second]) {
            self.bound.push((name.clone(), type_));
        }
        let only = fold.only.as_ref().map(|only| self.of(only));
        let body = self.of(&fold.body);
        let value = fold.value.as_ref().map(|value| self.of(value));
        self.bound.truncate(had);
        let list_of = |it: &Type| Type::list(it.clone());
        let (step, result) = match fold.kind {
            FoldKind::All | FoldKind::Exists => {
                if !self.mapping.fits(&body, &Type::Bool) {
                    self.mismatch(fold.body.at, &Type::Bool, &body);
                }
                (None, Type::Bool)
            }
            FoldKind::ExistsOne => (Some((body, Type::Int)), Type::Bool),
            FoldKind::Filter => (Some((body, list_of(&first))), list_of(&first)),
            FoldKind::List => (only.map(|only| (only, list_of(&body))), list_of(&body)),
            FoldKind::Map => {
                let made = Type::Map(Rc::new((first, body)));
                (only.map(|only| (only, made.clone())), made)
            }
            FoldKind::Entries => {
                let made = Type::Map(Rc::new((body, value.unwrap_or(Type::Dyn))));
                (only.map(|only| (only, made.clone())), made)
            }
        };
        if let Some((test, made)) = step {
            self.resolve(at, "_?_:_", false, &[test, made.clone(), made]);
        }
        self.mapping.put_in(&result, false)
    }

    fn opt(&mut self, at: usize, of: &Expr, name: &str, then: &Expr, flat: bool) -> Type {
        let of = self.of(of);
        self.resolve(at, "hasValue", true, std::slice::from_ref(&of));
        let (inner, _) = self.resolve(at, "value", true, &[of]);
        self.bound.push((name.to_owned(), inner));
        let then = self.of(then);
        self.bound.pop();
        if flat { then } else { Type::optional(then) }
    }
}

fn literal_type(value: &Val) -> Type {
    match value {
        Val::Null => Type::Null,
        Val::Bool(_) => Type::Bool,
        Val::Int(_) => Type::Int,
        Val::Uint(_) => Type::Uint,
        Val::Double(_) => Type::Double,
        Val::Text(_) => Type::Text,
        Val::Bytes(_) => Type::Bytes,
        _ => Type::Dyn,
    }
}

/// What can be seen of texts that are given to functions as they are.
fn literals(expr: &Expr, wrong: &mut Vec<Wrong>) {
    let text_of = |expr: &Expr| match &expr.node {
        Node::Literal(Val::Text(text)) => Some(text.to_string()),
        _ => None,
    };
    if let Node::Call { name, target, args } = &expr.node {
        let is_wrong = |text: &str| match (name.as_str(), target.is_some(), args.len()) {
            ("duration", false, 1) => time::duration(text).is_none(),
            ("timestamp", false, 1) => time::timestamp(text).is_none(),
            ("matches", true, 1) => regex::Regex::new(text).is_err(),
            _ => false,
        };
        if let Some(arg) = args.last()
            && text_of(arg).is_some_and(|text| is_wrong(&text))
        {
            wrong.push((arg.at, format!("invalid {name} argument")));
        }
    }
    if let Node::Call { name, target: Some(target), args } = &expr.node
        && name == "format"
        && let (Some(text), [Expr { node: Node::List(items), .. }]) = (text_of(target), args.as_slice())
    {
        let known: Vec<Option<Val>> = items.iter().map(|(item, _)| literal(item)).collect();
        if let Some((place, words)) = strings::misformed(&text, &known) {
            wrong
                .push((place.and_then(|place| items.get(place)).map_or(expr.at, |(item, _)| item.at), words));
        }
    }
    each(expr, &mut |part| literals(part, wrong));
}

fn literal(expr: &Expr) -> Option<Val> {
    match &expr.node {
        Node::Literal(value) => Some(value.clone()),
        _ => None,
    }
}

/// Calls `then` with each part right below an expression.
pub(super) fn each<'e>(expr: &'e Expr, then: &mut impl FnMut(&'e Expr)) {
    match &expr.node {
        Node::Literal(_) | Node::Name(_) | Node::Made(_) => {}
        Node::Select { of, .. } | Node::Has { of, .. } => then(of),
        Node::Call { target, args, .. } => target.as_deref().into_iter().chain(args).for_each(then),
        Node::List(items) => items.iter().for_each(|(item, _)| then(item)),
        Node::Map(entries) => entries.iter().for_each(|(key, value, _)| {
            then(key);
            then(value);
        }),
        Node::Fold(fold) => {
            then(&fold.range);
            fold.only.iter().chain([&fold.body]).chain(&fold.value).for_each(then);
        }
        Node::Opt { of, then: body, .. } => {
            then(of);
            then(body);
        }
    }
}
