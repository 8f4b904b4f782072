//! What did the grammar find?
//!
//! Its tree becomes ours, in which every part knows where it stands and a macro is one part.
//! Source: cel-go `parser/macro.go`, `ext/comprehensions.go`, `cel/library.go`.

use cel::common::ast::{
    CallExpr, EntryExpr, Expr as Read, IdedEntryExpr, IdedExpr, LiteralValue, SourceInfo,
};

use super::{
    ast::{Expr, Fold, FoldKind, Node},
    parse::Wrong,
    value::Val,
};

/// A part that the grammar does not make.
const UNKNOWN: &str = "unsupported expression";

/// What [`super::parse`] found.
/// # Errors
/// A part that only other grammars know.
pub(super) fn read(root: IdedExpr, places: &SourceInfo) -> Result<Expr, Wrong> {
    Reader { places }.expr(root)
}

struct Reader<'s> {
    places: &'s SourceInfo,
}

impl Reader<'_> {
    fn at(&self, id: u64) -> usize {
        self.places.offset_for(id).map_or(0, |(start, _)| start as usize)
    }

    fn expr(&self, read: IdedExpr) -> Result<Expr, Wrong> {
        let (id, at) = (read.id, self.at(read.id));
        let node = match read.expr {
            Read::Literal(value) => Node::Literal(literal(value)),
            Read::Ident(name) => Node::Name(name.trim_start_matches('.').to_owned()),
            Read::Select(select) => Node::Select {
                of: Box::new(self.expr(*select.operand)?),
                field: select.field,
                optional: false,
            },
            Read::Call(call) => self.call(at, call)?,
            Read::List(list) => {
                let optional = list.optional_indices;
                let items = list.elements.into_iter().enumerate();
                Node::List(
                    items
                        .map(|(n, item)| Ok((self.expr(item)?, optional.contains(&n))))
                        .collect::<Result<_, Wrong>>()?,
                )
            }
            Read::Map(map) => {
                let entries = map.entries.into_iter().map(|entry| self.entry(entry));
                Node::Map(entries.collect::<Result<_, _>>()?)
            }
            Read::Struct(made) => Node::Made(made.type_name),
            Read::Comprehension(_) | Read::Unspecified => {
                return Err((at, UNKNOWN.to_owned()));
            }
        };
        Ok(Expr { id, at, node })
    }

    fn entry(&self, entry: IdedEntryExpr) -> Result<(Expr, Expr, bool), Wrong> {
        match entry.expr {
            EntryExpr::MapEntry(entry) => {
                Ok((self.expr(entry.key)?, self.expr(entry.value)?, entry.optional))
            }
            EntryExpr::StructField(_) => Err((self.at(entry.id), UNKNOWN.to_owned())),
        }
    }

    fn exprs(&self, read: Vec<IdedExpr>) -> Result<Vec<Expr>, Wrong> {
        read.into_iter().map(|one| self.expr(one)).collect()
    }

    /// A function, an operator, a method, or a macro that looks like one of them.
    fn call(&self, at: usize, call: CallExpr) -> Result<Node, Wrong> {
        let name = call.func_name;
        let mut args = self.exprs(call.args)?;
        let Some(target) = call.target else {
            return match (name.trim_start_matches('.'), args.len()) {
                ("has", 1) => {
                    let arg = args.remove(0);
                    match arg.node {
                        Node::Select { of, field, optional: false } => Ok(Node::Has { of, field }),
                        _ => Err((arg.at, UNKNOWN.to_owned())),
                    }
                }
                ("_?._", 2) => {
                    let (field, of) = (args.remove(1), Box::new(args.remove(0)));
                    match field.node {
                        Node::Literal(Val::Text(field)) => {
                            Ok(Node::Select { of, field: field.to_string(), optional: true })
                        }
                        _ => Err((at, UNKNOWN.to_owned())),
                    }
                }
                (name, _) => Ok(Node::Call { name: name.to_owned(), target: None, args }),
            };
        };
        let target = self.expr(*target)?;
        method(target, name, args)
    }
}

fn literal(value: LiteralValue) -> Val {
    match value {
        LiteralValue::Boolean(value) => Val::Bool(*value.inner()),
        LiteralValue::Bytes(value) => Val::Bytes(value.inner().into()),
        LiteralValue::Double(value) => Val::Double(*value.inner()),
        LiteralValue::Int(value) => Val::Int(*value.inner()),
        LiteralValue::Null => Val::Null,
        LiteralValue::String(value) => Val::Text(value.inner().into()),
        LiteralValue::UInt(value) => Val::Uint(*value.inner()),
    }
}

/// A method, or a macro that looks like one.
fn method(target: Expr, name: String, mut args: Vec<Expr>) -> Result<Node, Wrong> {
    let kind = match (name.as_str(), args.len()) {
        ("all", 2 | 3) => Some(FoldKind::All),
        ("exists", 2 | 3) => Some(FoldKind::Exists),
        ("exists_one", 2) | ("existsOne", 2 | 3) => Some(FoldKind::ExistsOne),
        ("filter", 2) => Some(FoldKind::Filter),
        ("map", 2 | 3) | ("transformList", 3 | 4) => Some(FoldKind::List),
        ("transformMap", 3 | 4) => Some(FoldKind::Map),
        ("transformMapEntry", 3 | 4) => Some(FoldKind::Entries),
        _ => None,
    };
    if matches!(name.as_str(), "optMap" | "optFlatMap") && args.len() == 2 {
        let then = Box::new(args.remove(1));
        let bound = args.remove(0);
        let Node::Name(of_value) = bound.node else { return Err((bound.at, UNKNOWN.to_owned())) };
        return Ok(Node::Opt { of: Box::new(target), name: of_value, then, flat: name == "optFlatMap" });
    }
    let Some(kind) = kind else { return Ok(Node::Call { name, target: Some(Box::new(target)), args }) };
    let two = name.starts_with("transform") || (name != "map" && args.len() == 3);
    let mut args = args.into_iter();
    let mut names = Vec::new();
    for bound in args.by_ref().take(if two { 2 } else { 1 }) {
        match bound.node {
            Node::Name(name) => names.push(name),
            _ => return Err((bound.at, UNKNOWN.to_owned())),
        }
    }
    let (only, body) = match (args.next(), args.next()) {
        (only, Some(body)) => (only, body),
        (Some(body), None) => (None, body),
        (None, None) => return Err((target.at, UNKNOWN.to_owned())),
    };
    let (body, value) = match (kind, body) {
        (FoldKind::Entries, Expr { id, at, node: Node::Map(mut entries) }) => {
            match (entries.pop(), entries.len()) {
                (Some((key, value, _)), 0) => (key, Some(value)),
                (last, _) => {
                    entries.extend(last);
                    (Expr { id, at, node: Node::Map(entries) }, None)
                }
            }
        }
        (_, body) => (body, None),
    };
    Ok(Node::Fold(Box::new(Fold { kind, range: target, names, only, body, value })))
}
