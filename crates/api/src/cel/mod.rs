//! What does an expression in CEL say of an object?
//!
//! [`Program::compile`] reads an expression and knows which names it may use; [`Program::run`] asks it. The grammar is the `cel` crate's;
//! asking is our own, so that it is bounded: every step is paid from a budget that expressions share, as the API server bounds them.
//! Objects have no declared types here, so what a type check would find is found when the expression is asked.
//! MODEL: no timestamps, durations, quantities, addresses, URLs, and no authorizer.
//! Source: the CEL specification; `k8s.io/apiserver/pkg/cel`; messages of cel-go.

mod eval;
mod function;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cel::{
    common::ast::{EntryExpr, Expr, IdedExpr},
    parser::PrattParser,
};
use serde_json::Value;

/// Steps that the rules of one request may take together. Source: `RuntimeCELCostBudget` is ten times `PerCallLimit`, 1,000,000.
pub const BUDGET: u64 = 1_000_000;

/// How deep expressions nest, and how many parts they have.
const DEEPEST: u16 = 64;
const LARGEST: usize = 10_000;

/// An expression that was understood.
pub struct Program {
    root: IdedExpr,
    text: String,
}

/// What an expression may look at, by name.
#[derive(Default)]
pub struct Scope<'v> {
    /// Such as `object` or `self`.
    pub names: BTreeMap<&'static str, &'v Value>,
    /// What `variables` holds, in its order: a value, or why there is none.
    pub variables: Vec<(String, Result<Value, String>)>,
    /// Whether `variables` is a name at all.
    pub has_variables: bool,
}

impl Program {
    /// Reads an expression that may use `names`.
    /// # Errors
    /// What is wrong with it, after `compilation failed: `.
    pub fn compile(text: &str, names: &[&str]) -> Result<Self, String> {
        let parser = PrattParser::new().max_recursion_depth(DEEPEST).max_expression_node_count(LARGEST);
        let root = parser.parse(text).map_err(|error| {
            // The library's own rendering is not used: it cannot point further right than 65,535.
            let found = error.errors.iter().map(|it| complaint(text, it.pos, &it.msg));
            format!("compilation failed: {}", found.collect::<Vec<_>>().join("\n"))
        })?;
        let program = Self { root, text: text.to_owned() };
        let mut bound = Vec::new();
        match program.undeclared(&program.root.expr, names, &mut bound) {
            None => Ok(program),
            Some(name) => Err(program.undeclared_words(&name)),
        }
    }

    /// Asks the expression, paying from `budget`.
    /// # Errors
    /// cel-go's words: `no such key: replicas`.
    pub fn run(&self, scope: &Scope<'_>, budget: &mut u64) -> Result<Value, String> {
        eval::Evaluation::new(scope, budget).value(&self.root)
    }

    fn undeclared_words(&self, name: &str) -> String {
        let is_start = |at: usize| {
            let before = self.text[..at].chars().next_back();
            let after = self.text[at + name.len()..].chars().next();
            let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
            !is_part(before) && !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
        };
        let at = self.text.match_indices(name).map(|(at, _)| at).find(|at| is_start(*at)).unwrap_or(0);
        let line = self.text[..at].matches('\n').count() + 1;
        let column = self.text[..at].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let words = format!("undeclared reference to '{name}' (in container '')");
        let place = (isize::try_from(line).unwrap_or(1), isize::try_from(column).unwrap_or(1));
        format!("compilation failed: {}", complaint(&self.text, place, &words))
    }

    /// The first name that nothing declares.
    fn undeclared<'e>(&self, expr: &'e Expr, names: &[&str], bound: &mut Vec<&'e str>) -> Option<String> {
        let each = |list: &[&'e IdedExpr], bound: &mut Vec<&'e str>| {
            list.iter().find_map(|it| self.undeclared(&it.expr, names, bound))
        };
        match expr {
            Expr::Unspecified | Expr::Literal(_) => None,
            Expr::Ident(name) => {
                let known = names.contains(&name.as_str())
                    || bound.contains(&name.as_str())
                    || function::TYPES.contains(&name.as_str());
                (!known).then(|| name.clone())
            }
            Expr::Select(select) => each(&[&select.operand], bound),
            Expr::Call(call) => {
                let parts: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
                let known = function::is_known(&call.func_name) || call.target.is_some();
                each(&parts, bound).or_else(|| (!known).then(|| call.func_name.clone()))
            }
            Expr::List(list) => each(&list.elements.iter().collect::<Vec<_>>(), bound),
            Expr::Map(map) => {
                let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => Some([&entry.key, &entry.value]),
                    EntryExpr::StructField(_) => None,
                });
                each(&entries.flatten().collect::<Vec<_>>(), bound)
            }
            Expr::Struct(made) => Some(made.type_name.clone()),
            Expr::Comprehension(fold) => {
                if let Some(name) = each(&[&fold.iter_range, &fold.accu_init], bound) {
                    return Some(name);
                }
                let had = bound.len();
                bound.extend([fold.iter_var.as_str(), fold.accu_var.as_str()]);
                bound.extend(fold.iter_var2.as_deref());
                let found = self
                    .undeclared(&fold.loop_cond.expr, names, bound)
                    .or_else(|| self.undeclared(&fold.loop_step.expr, names, bound))
                    .or_else(|| self.undeclared(&fold.result.expr, names, bound));
                bound.truncate(had);
                found
            }
        }
    }
}

/// What cel-go says of a place in an expression, with the line and a finger on it.
fn complaint(text: &str, (line, column): (isize, isize), words: &str) -> String {
    let before = usize::try_from(column - 1).unwrap_or(0);
    let shown = usize::try_from(line - 1).ok().and_then(|at| text.lines().nth(at)).unwrap_or_default();
    format!("ERROR: <input>:{line}:{column}: {words}\n | {shown}\n | {}^", ".".repeat(before))
}
