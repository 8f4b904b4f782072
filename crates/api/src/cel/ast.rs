//! What is an expression made of?

use super::value::Val;

/// A part of an expression, and where it stands.
#[derive(Debug)]
pub(super) struct Expr {
    /// No other part of the expression has it.
    pub(super) id: u64,
    /// Bytes before it: of an operator those before its sign, of a call those before its bracket.
    pub(super) at: usize,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) enum Node {
    Literal(Val),
    Name(String),
    Select {
        of: Box<Expr>,
        field: String,
        optional: bool,
    },
    /// `has(a.b)`.
    Has {
        of: Box<Expr>,
        field: String,
    },
    /// A function, operator (`_+_`) or method.
    Call {
        name: String,
        target: Option<Box<Expr>>,
        args: Vec<Expr>,
    },
    /// Items, and whether each may be nothing.
    List(Vec<(Expr, bool)>),
    /// Keys, values, and whether each may be nothing.
    Map(Vec<(Expr, Expr, bool)>),
    /// `Type{field: value}`.
    Made(String),
    Fold(Box<Fold>),
    /// `a.optMap(v, e)`, `a.optFlatMap(v, e)`.
    Opt {
        of: Box<Expr>,
        name: String,
        then: Box<Expr>,
        flat: bool,
    },
}

/// A macro that looks at each item of a list or map.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) kind: FoldKind,
    pub(super) range: Expr,
    /// The item's name, or those of index or key and value.
    pub(super) names: Vec<String>,
    /// What must hold, for a map with a filter.
    pub(super) only: Option<Expr>,
    pub(super) body: Expr,
    /// The value made, where the body makes the key.
    pub(super) value: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    /// `map`, `transformList`.
    List,
    /// `transformMap`.
    Map,
    /// `transformMapEntry`.
    Entries,
}

/// `a.b.c`, if it is nothing but names.
pub(super) fn dotted(expr: &Expr) -> Option<String> {
    match &expr.node {
        Node::Name(name) => Some(name.clone()),
        Node::Select { of, field, optional: false } => Some(format!("{}.{field}", dotted(of)?)),
        _ => None,
    }
}
