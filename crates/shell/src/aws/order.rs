//! In which order do the members of an answer stand?
//!
//! The CLI prints a structure in the order of the service's model, and what `--query` makes in the order of the query. Objects of
//! the lab's JSON are sorted by name: [`Tree`] is what is printed.
//! Source: botocore `parsers.py`; AWS CLI 2, `awscli/formatter.py`.

use jmespath::ast::Ast;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

use super::model::{Service, Type};

/// A value whose fields have an order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    /// Text, a number, true, false or null.
    Scalar(Value),
    /// Several.
    List(Vec<Tree>),
    /// Names and values.
    Fields(Vec<(String, Tree)>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scalar(value) => value.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Fields(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// The orders that fields can have: each is the names of one structure.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders(Vec<Vec<String>>);

impl Orders {
    /// Adds the order of every structure in an answer.
    pub fn learn(&mut self, value: &Value, of: &Type, service: &Service) {
        match (of, value) {
            (Type::Structure(shape), Value::Object(fields)) => {
                let members = service.members(shape).iter().filter(|it| fields.contains_key(it.name));
                let members: Vec<_> = members.collect();
                self.0.push(members.iter().map(|it| it.name.to_owned()).collect());
                for member in members {
                    self.learn(&fields[member.name], &member.of, service);
                }
            }
            (Type::List(item), Value::Array(items)) => {
                items.iter().for_each(|value| self.learn(value, item, service));
            }
            (Type::Map(item), Value::Object(fields)) => {
                fields.values().for_each(|value| self.learn(value, item, service));
            }
            _ => {}
        }
    }

    /// Adds the order of every structure that a query makes.
    pub fn learn_query(&mut self, ast: &Ast) {
        match ast {
            Ast::MultiHash { elements, .. } => {
                // It goes before the answer's own: the query has the last word.
                self.0.insert(0, elements.iter().map(|it| it.key.clone()).collect());
                elements.iter().for_each(|it| self.learn_query(&it.value));
            }
            Ast::Comparison { lhs, rhs, .. }
            | Ast::Projection { lhs, rhs, .. }
            | Ast::And { lhs, rhs, .. }
            | Ast::Or { lhs, rhs, .. }
            | Ast::Subexpr { lhs, rhs, .. } => {
                self.learn_query(lhs);
                self.learn_query(rhs);
            }
            Ast::Condition { predicate, then, .. } => {
                self.learn_query(predicate);
                self.learn_query(then);
            }
            Ast::Expref { ast: node, .. }
            | Ast::Flatten { node, .. }
            | Ast::Not { node, .. }
            | Ast::ObjectValues { node, .. } => self.learn_query(node),
            Ast::Function { args: all, .. } | Ast::MultiList { elements: all, .. } => {
                all.iter().for_each(|it| self.learn_query(it));
            }
            Ast::Identity { .. }
            | Ast::Field { .. }
            | Ast::Index { .. }
            | Ast::Literal { .. }
            | Ast::Slice { .. } => {}
        }
    }

    /// A value with its fields in order; those of an unknown structure by name.
    pub fn of(&self, value: &Value) -> Tree {
        match value {
            Value::Array(items) => Tree::List(items.iter().map(|it| self.of(it)).collect()),
            Value::Object(fields) => {
                let names = self.names(fields);
                Tree::Fields(names.into_iter().map(|name| (name.clone(), self.of(&fields[name]))).collect())
            }
            scalar => Tree::Scalar(scalar.clone()),
        }
    }

    fn names<'v>(&'v self, fields: &'v Map<String, Value>) -> Vec<&'v String> {
        let same = |order: &&Vec<String>| {
            order.len() == fields.len() && order.iter().all(|name| fields.contains_key(name))
        };
        match self.0.iter().find(same) {
            Some(order) => order.iter().collect(),
            None => fields.keys().collect(),
        }
    }
}
