//! How is an expression asked, step by step?

use std::borrow::Cow;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators,
};
use serde_json::{Map, Value};

use super::{Scope, function};

/// What is said when the budget is spent.
const SPENT: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

type Found<'v> = Result<Cow<'v, Value>, String>;

/// One asking of an expression.
pub(super) struct Evaluation<'v, 'b> {
    scope: &'v Scope<'v>,
    budget: &'b mut u64,
    /// Names that macros bind, innermost last.
    bound: Vec<(String, Cow<'v, Value>)>,
}

impl<'v, 'b> Evaluation<'v, 'b> {
    pub(super) fn new(scope: &'v Scope<'v>, budget: &'b mut u64) -> Self {
        Self { scope, budget, bound: Vec::new() }
    }

    pub(super) fn value(&mut self, expr: &IdedExpr) -> Result<Value, String> {
        self.eval(expr).map(Cow::into_owned)
    }

    fn pay(&mut self, cost: usize) -> Result<(), String> {
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
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

    fn eval(&mut self, expr: &IdedExpr) -> Found<'v> {
        self.pay(1)?;
        match &expr.expr {
            Expr::Unspecified => Err("unspecified expression".to_owned()),
            Expr::Literal(literal) => literal_value(literal).map(Cow::Owned),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => {
                let mut items = Vec::new();
                for element in &list.elements {
                    items.push(self.value(element)?);
                }
                Ok(Cow::Owned(Value::Array(items)))
            }
            Expr::Map(map) => {
                let mut fields = Map::new();
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        let key = function::key(&self.value(&entry.key)?)?;
                        fields.insert(key, self.value(&entry.value)?);
                    }
                }
                Ok(Cow::Owned(Value::Object(fields)))
            }
            Expr::Struct(made) => Err(format!("no such type: {}", made.type_name)),
            Expr::Comprehension(fold) => self.fold(fold),
        }
    }

    fn name(&mut self, name: &str) -> Found<'v> {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            let cost = if let Cow::Owned(value) = value { weight(value) } else { 1 };
            let value = value.clone();
            self.pay(cost)?;
            return Ok(value);
        }
        if let Some(value) = self.scope.names.get(name) {
            return Ok(Cow::Borrowed(value));
        }
        if function::TYPES.contains(&name) {
            return Ok(Cow::Owned(name.into()));
        }
        Err(format!("no such attribute(s): {name}"))
    }

    fn select(&mut self, select: &SelectExpr) -> Found<'v> {
        let field = select.field.as_str();
        if self.scope.has_variables
            && matches!(&select.operand.expr, Expr::Ident(name) if name == "variables")
        {
            let found = self.scope.variables.iter().find(|(name, _)| name == field);
            return match found {
                Some((_, Ok(value))) => Ok(Cow::Borrowed(value)),
                Some((_, Err(error))) => {
                    Err(format!("composited variable \"{field}\" fails to evaluate: {error}"))
                }
                None => Err(no_key(field)),
            };
        }
        let operand = self.eval(&select.operand)?;
        if select.test {
            return match operand.as_ref() {
                Value::Object(fields) => Ok(Cow::Owned(fields.contains_key(field).into())),
                Value::Null => Ok(Cow::Owned(false.into())),
                _ => Err("no such overload".to_owned()),
            };
        }
        match operand {
            Cow::Borrowed(Value::Object(fields)) => {
                fields.get(field).map(Cow::Borrowed).ok_or_else(|| no_key(field))
            }
            Cow::Owned(Value::Object(mut fields)) => {
                fields.remove(field).map(Cow::Owned).ok_or_else(|| no_key(field))
            }
            _ => Err(no_key(field)),
        }
    }

    fn call(&mut self, call: &CallExpr) -> Found<'v> {
        let owned = |value: Value| Ok(Cow::Owned(value));
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [a, b]) => self.logical(a, b, false),
            (operators::LOGICAL_OR, [a, b]) => self.logical(a, b, true),
            (operators::CONDITIONAL, [test, yes, no]) => match self.eval(test)?.as_ref() {
                Value::Bool(true) => self.eval(yes),
                Value::Bool(false) => self.eval(no),
                _ => Err("no such overload".to_owned()),
            },
            (operators::NOT_STRICTLY_FALSE, [it]) => match self.eval(it) {
                Ok(value) => owned((*value != Value::Bool(false)).into()),
                Err(error) if error == SPENT => Err(error),
                Err(_) => owned(true.into()),
            },
            (operators::INDEX, [of, at]) => {
                let (of, at) = (self.eval(of)?, self.eval(at)?);
                index(of, &at)
            }
            (name, args) => {
                let target = call.target.as_deref().map(|target| self.eval(target)).transpose()?;
                let mut values: Vec<Cow<'v, Value>> = target.into_iter().collect();
                let is_member = !values.is_empty();
                for arg in args {
                    values.push(self.eval(arg)?);
                }
                let values: Vec<&Value> = values.iter().map(AsRef::as_ref).collect();
                let cost: usize = values.iter().map(|value| weight(value) / 10).sum();
                self.pay(cost)?;
                let result = function::call(name, is_member, &values)?;
                self.pay(weight(&result) / 10)?;
                owned(result)
            }
        }
    }

    /// `a && b`, `a || b`: one side that decides makes the other's error nothing.
    fn logical(&mut self, a: &IdedExpr, b: &IdedExpr, decides: bool) -> Found<'v> {
        let mut failed = None;
        for side in [a, b] {
            match self.eval(side) {
                Ok(value) => match value.as_ref() {
                    Value::Bool(is) if *is == decides => return Ok(Cow::Owned(decides.into())),
                    Value::Bool(_) => {}
                    _ => failed = failed.or(Some("no such overload".to_owned())),
                },
                Err(error) if error == SPENT => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(Cow::Owned((!decides).into())),
        }
    }

    fn fold(&mut self, fold: &ComprehensionExpr) -> Found<'v> {
        let range = self.eval(&fold.iter_range)?;
        let items: Vec<(Option<Value>, Cow<'v, Value>)> = match range {
            Cow::Borrowed(Value::Array(items)) => {
                items.iter().enumerate().map(|(at, it)| (Some(at.into()), Cow::Borrowed(it))).collect()
            }
            Cow::Owned(Value::Array(items)) => {
                items.into_iter().enumerate().map(|(at, it)| (Some(at.into()), Cow::Owned(it))).collect()
            }
            Cow::Borrowed(Value::Object(fields)) if fold.iter_var2.is_some() => {
                fields.iter().map(|(key, it)| (Some(key.as_str().into()), Cow::Borrowed(it))).collect()
            }
            Cow::Borrowed(Value::Object(fields)) => {
                fields.keys().map(|key| (None, Cow::Owned(key.as_str().into()))).collect()
            }
            Cow::Owned(Value::Object(fields)) => {
                fields.into_iter().map(|(key, _)| (None, Cow::Owned(key.into()))).collect()
            }
            _ => return Err("no such overload".to_owned()),
        };
        let start = self.eval(&fold.accu_init)?;
        let had = self.bound.len();
        self.bound.push((fold.accu_var.clone(), start));
        let mut failed = None;
        for (place, item) in items {
            match (&fold.iter_var2, place) {
                (Some(second), Some(place)) => {
                    self.bound.push((fold.iter_var.clone(), Cow::Owned(place)));
                    self.bound.push((second.clone(), item));
                }
                _ => self.bound.push((fold.iter_var.clone(), item)),
            }
            let step = self.eval(&fold.loop_cond).and_then(|goes_on| match goes_on.as_ref() {
                Value::Bool(true) => self.eval(&fold.loop_step).map(Some),
                _ => Ok(None),
            });
            self.bound.truncate(had + 1);
            match step {
                Ok(Some(value)) => {
                    self.bound[had].1 = value;
                    failed = None;
                }
                Ok(None) => break,
                Err(error) if error == SPENT || fold.accu_var != "@result" => {
                    failed = Some(error);
                    break;
                }
                // An item that cannot be asked only matters if no other decides.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let result = match failed {
            Some(error) => Err(error),
            None => self.eval(&fold.result),
        };
        self.bound.truncate(had);
        result
    }
}

fn no_key(field: &str) -> String {
    format!("no such key: {field}")
}

/// How much a value weighs when it is copied or looked through.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len() / 10,
        Value::Array(items) => 1 + items.len(),
        Value::Object(fields) => 1 + fields.len(),
    }
}

fn index<'v>(of: Cow<'v, Value>, at: &Value) -> Found<'v> {
    let place = at.as_i64().or_else(|| at.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64));
    match (of, at) {
        (Cow::Borrowed(Value::Array(items)), _) if place.is_some() => {
            let place = place.unwrap_or(-1);
            let item = usize::try_from(place).ok().and_then(|place| items.get(place));
            item.map(Cow::Borrowed).ok_or_else(|| format!("index out of bounds: {place}"))
        }
        (Cow::Owned(Value::Array(mut items)), _) if place.is_some() => {
            let place = place.unwrap_or(-1);
            match usize::try_from(place).ok().filter(|place| *place < items.len()) {
                Some(place) => Ok(Cow::Owned(items.swap_remove(place))),
                None => Err(format!("index out of bounds: {place}")),
            }
        }
        (Cow::Borrowed(Value::Object(fields)), Value::String(key)) => {
            fields.get(key).map(Cow::Borrowed).ok_or_else(|| no_key(key))
        }
        (Cow::Owned(Value::Object(mut fields)), Value::String(key)) => {
            fields.remove(key).map(Cow::Owned).ok_or_else(|| no_key(key))
        }
        _ => Err("no such overload".to_owned()),
    }
}

fn literal_value(literal: &LiteralValue) -> Result<Value, String> {
    Ok(match literal {
        LiteralValue::Boolean(it) => (*it.inner()).into(),
        LiteralValue::Double(it) => (*it.inner()).into(),
        LiteralValue::Int(it) => (*it.inner()).into(),
        LiteralValue::UInt(it) => (*it.inner()).into(),
        LiteralValue::String(it) => it.inner().into(),
        LiteralValue::Null => Value::Null,
        LiteralValue::Bytes(_) => return Err("no such overload".to_owned()),
    })
}
