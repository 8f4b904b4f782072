//! What does an expression in CEL say of an object?
//!
//! [`Program::compile`] reads an expression, knows which names it may use and of which types they are, and says what does not go
//! together; [`Program::run`] asks it. Asking is bounded: every step is paid from a budget that expressions share, as the API server
//! bounds them.
//! MODEL: what asking costs is counted roughly: a step is one, a text a tenth of its letters.
//! Source: the CEL specification; cel-go; `k8s.io/apiserver/pkg/cel`.

mod admission;
mod ast;
mod check;
mod cost;
mod declare;
mod escape;
mod eval;
mod kinds;
mod library;
mod parse;
#[cfg(test)]
mod tests;
mod tree;
mod types;
mod value;

use std::collections::BTreeMap;

pub(crate) use self::escape::escaped;
pub use self::{
    admission::{PolicyNames, policy_names},
    cost::Sizes,
    kinds::type_of,
    library::authorizer::{About, Check, Verdict},
    types::{Declared, Type},
    value::{MapKey, Val},
};

/// Steps that the rules of one request may take together, and those that one expression may take.
/// Source: `k8s.io/apiserver/pkg/apis/cel/config.go`.
pub const BUDGET: u64 = 10_000_000;
const DEAREST_CALL: u64 = 1_000_000;

/// An expression that was understood.
pub struct Program {
    root: ast::Expr,
    result: Type,
    notes: check::Notes,
}

/// Who answers what expressions ask the authorizer.
pub type Authorizer<'a> = &'a dyn Fn(&Check, &str) -> Verdict;

/// What an expression may look at, by name.
#[derive(Default)]
pub struct Scope<'a> {
    /// Such as `object` or `self`.
    pub names: BTreeMap<&'static str, Val>,
    /// What `variables` holds, in its order: a value, or why there is none.
    pub variables: Vec<(String, Result<Val, String>)>,
    /// Whether `variables` is a name at all.
    pub has_variables: bool,
    /// Who answers `check` with its verb.
    pub authorizer: Option<Authorizer<'a>>,
}

impl Program {
    /// Reads an expression that may use `names`, each of its type.
    /// # Errors
    /// What is wrong with it: `ERROR: <input>:1:1: …`, line by line.
    pub fn compile(text: &str, names: &[(&str, Type)]) -> Result<Self, String> {
        let said = |wrong: Vec<parse::Wrong>| {
            let lines: Vec<String> = wrong.iter().map(|(at, words)| complaint(text, *at, words)).collect();
            lines.join("\n")
        };
        let root = parse::parse(text).map_err(said)?;
        let (result, notes, wrong) = check::check(&root, names);
        if wrong.is_empty() { Ok(Self { root, result, notes }) } else { Err(said(wrong)) }
    }

    /// The type of what it answers.
    #[must_use]
    pub fn result(&self) -> &Type {
        &self.result
    }

    /// What it may cost at most, where `self` is so large.
    #[must_use]
    pub fn most_cost(&self, sizes: &Sizes) -> u64 {
        cost::estimate(&self.root, &self.notes, sizes).most
    }

    /// Whether it looks at a name.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        fn uses(expr: &ast::Expr, name: &str) -> bool {
            let mut found = matches!(&expr.node, ast::Node::Name(it) if it == name);
            check::each(expr, &mut |part| found |= uses(part, name));
            found
        }
        uses(&self.root, name)
    }

    /// Asks the expression, paying from `budget`.
    /// # Errors
    /// cel-go's words: `no such key: replicas`.
    pub fn run(&self, scope: &Scope<'_>, budget: &mut u64) -> Result<Val, String> {
        eval::Evaluation::new(scope, budget).value(&self.root)
    }
}

/// What cel-go says of a place in an expression, with the line and a finger on it, both wide where letters are.
fn complaint(text: &str, at: usize, words: &str) -> String {
    if at == parse::NOWHERE {
        return format!("ERROR: <input>:-1:0: {words}");
    }
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let shown = text.split('\n').nth(line - 1).unwrap_or_default().replace('\t', " ");
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let dots: String =
        shown.chars().take(column).map(|letter| if letter.is_ascii() { '.' } else { '．' }).collect();
    let finger = if shown.chars().nth(column).is_none_or(|letter| letter.is_ascii()) { '^' } else { '＾' };
    format!("ERROR: <input>:{line}:{}: {words}\n | {shown}\n | {dots}{finger}", column + 1)
}
