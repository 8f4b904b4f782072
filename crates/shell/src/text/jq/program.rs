//! Is this a filter, and which one?
//!
//! Parses with jaq's parser, then rewrites: every definition counts its calls, `\( )` and `/` are our functions. What is wrong
//! is said as jq's compiler says it.
//! Source: jq 1.6 `parser.y`, `locfile.c`.

use jaq_core::{
    Compiler,
    compile::{Filter, Undefined},
    load::{
        Arena, File, Loader,
        lex::{Expect as LexExpect, Lexer, StrPart, Tok, Token},
        parse::{self, BinaryOp, Def, Parser, Pattern, Term},
    },
    ops::Math,
    path::{Part, Path},
};

use super::{
    library,
    native::{self, Compiled},
};

/// Longest filter in bytes.
const LONGEST: usize = 16 << 10;
/// Deepest nesting of brackets.
const DEEPEST: usize = 64;

static DEFS: &str = include_str!("defs.jq");

/// The filter in this text, with global variables of these names.
pub(super) fn compile(code: &str, globals: &[&str]) -> Result<Filter<Compiled>, Vec<String>> {
    if code.len() > LONGEST || deepest(code) > DEEPEST {
        return Err(vec!["jq: error: the filter is too long or too deep for this lab".to_owned()]);
    }
    // An empty filter is the identity.
    let blank = code.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let code = if blank { "." } else { code };
    let term = parsed(code).map_err(|error| vec![error])?;
    let own = jaq_core::load::parse(DEFS, |p| p.defs()).unwrap_or_default();
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(own);
    let mut known: Vec<Def<&str>> = Vec::new();
    // Interpolation calls `tostring`, so that it must not be written with one: it is a function of ours.
    for one in defs.filter(|def| def.name != "tostring" && !library::LEFT_OUT.contains(&def.name)) {
        known.push(def(one));
    }
    known.push(Def { name: MAIN, args: Vec::new(), body: rewritten(term) });
    let arena = Arena::default();
    let whole = |words: &str| vec![format!("jq: error: {words} at <top-level>, line 1:\n{code}")];
    let modules = Loader::new(known)
        .load(&arena, File { code: MAIN, path: () })
        .map_err(|_| whole("syntax error (Unix shell quoting issues?)"))?;
    let compiler = Compiler::default().with_funs(native::all()).with_global_vars(globals.iter().copied());
    compiler.compile(modules).map_err(|errors| {
        let errors = errors.into_iter().flat_map(|(_, errors)| errors);
        errors
            .map(|(name, undefined)| {
                let what = match undefined {
                    Undefined::Filter(arity) => format!("{name}/{arity} is not defined"),
                    Undefined::Label => format!("$*label-{} is not defined", name.trim_start_matches('$')),
                    _ => format!("{name} is not defined"),
                };
                said(code, &what, offset(code, name).unwrap_or(0))
            })
            .collect()
    })
}

/// The whole filter as a definition.
const MAIN: &str = "whole_filter";

fn deepest(code: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for letter in code.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn parsed(code: &str) -> Result<Term<&str>, String> {
    let tokens = Lexer::new(code).lex().map_err(|errors| {
        let (expected, found) = errors.into_iter().next().unwrap_or((LexExpect::Token, ""));
        let at = offset(code, found).unwrap_or(code.len());
        match (expected, found) {
            (LexExpect::Delim("\""), _) => {
                let at = code.rfind('"').map_or(0, |at| at + 1);
                unexpected(code, "$end, expecting QQSTRING_TEXT or QQSTRING_INTERP_START or QQSTRING_END", at)
            }
            (_, "") => unexpected(code, "$end", last_token(code)),
            (LexExpect::Delim(_), _) => unexpected(code, "INVALID_CHARACTER", at),
            _ => unexpected(code, "INVALID_CHARACTER, expecting $end", at),
        }
    })?;
    Parser::new(&tokens).parse(Parser::term).map_err(|errors| {
        let (expected, found) = errors.into_iter().next().unwrap_or((parse::Expect::Term, None));
        let Some(Token(text, token)) = found.filter(|Token(text, _)| !matches!(*text, ")" | "]" | "}"))
        else {
            return unexpected(code, "$end", last_token(code));
        };
        let name = match token {
            Tok::Word if KEYWORDS.contains(text) => (*text).to_owned(),
            Tok::Word => "IDENT".to_owned(),
            Tok::Var => "'$'".to_owned(),
            Tok::Fmt => "FORMAT".to_owned(),
            Tok::Num => "LITERAL".to_owned(),
            Tok::Str(_) => "QQSTRING_START".to_owned(),
            Tok::Sym | Tok::Block(_) => format!("'{}'", text.chars().next().unwrap_or(' ')),
        };
        let expecting = if matches!(expected, parse::Expect::Nothing) { ", expecting $end" } else { "" };
        unexpected(code, &format!("{name}{expecting}"), offset(code, text).unwrap_or(0))
    })
}

const KEYWORDS: &[&str] = &[
    "and", "as", "catch", "def", "elif", "else", "end", "foreach", "if", "import", "include", "label",
    "module", "or", "reduce", "then", "try",
];

fn unexpected(code: &str, what: &str, at: usize) -> String {
    said(code, &format!("syntax error, unexpected {what} (Unix shell quoting issues?)"), at)
}

/// A message with the line it speaks of.
///
/// UPSTREAM: the line is followed by as many blanks as stand before the place.
fn said(code: &str, words: &str, at: usize) -> String {
    let before = code.get(..at).unwrap_or(code);
    let number = before.matches('\n').count();
    let line = code.lines().nth(number).unwrap_or_default();
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    format!("jq: error: {words} at <top-level>, line {}:\n{line}{}", number + 1, " ".repeat(column))
}

/// Where a part of the text begins, if it is one.
fn offset(code: &str, part: &str) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(code.as_ptr().addr())?;
    (at + part.len() <= code.len()).then_some(at)
}

fn last_token(code: &str) -> usize {
    let end = code.trim_end();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = end.trim_end_matches(is_word);
    if word.len() < end.len() { word.len() } else { end.char_indices().next_back().map_or(0, |(at, _)| at) }
}

fn def(def: Def<&str>) -> Def<&str> {
    let body = Box::new(rewritten(def.body));
    let count = Box::new(Term::Call("count_call", Vec::new()));
    Def { body: Term::BinOp(count, BinaryOp::Pipe(Some(Pattern::Var("$count_call"))), body), ..def }
}

#[expect(clippy::boxed_local, reason = "jaq's tree holds boxes")]
fn boxed(term: Box<Term<&str>>) -> Box<Term<&str>> {
    Box::new(rewritten(*term))
}

fn all(terms: Vec<Term<&str>>) -> Vec<Term<&str>> {
    terms.into_iter().map(rewritten).collect()
}

fn rewritten(term: Term<&str>) -> Term<&str> {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Var(_) | Term::Break(_) => term,
        Term::Str(format, parts) => {
            let parts = parts.into_iter().map(|part| match part {
                StrPart::Term(term) if format.is_none() => {
                    let text = Box::new(Term::Call("tostring", Vec::new()));
                    StrPart::Term(Term::BinOp(Box::new(rewritten(term)), BinaryOp::Pipe(None), text))
                }
                StrPart::Term(term) => StrPart::Term(rewritten(term)),
                other => other,
            });
            Term::Str(format, parts.collect())
        }
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(fields) => {
            let field = |(key, value): (Term<_>, Option<Term<_>>)| (rewritten(key), value.map(rewritten));
            Term::Obj(fields.into_iter().map(field).collect())
        }
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::BinOp(left, BinaryOp::Math(Math::Div), right) => {
            Term::Call("divided", vec![rewritten(*left), rewritten(*right)])
        }
        Term::BinOp(left, operator, right) => {
            let operator = match operator {
                BinaryOp::Pipe(Some(bound)) => BinaryOp::Pipe(Some(pattern(bound))),
                other => other,
            };
            Term::BinOp(boxed(left), operator, boxed(right))
        }
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(name, from, bound, parts) => Term::Fold(name, boxed(from), pattern(bound), all(parts)),
        Term::TryCatch(inner, caught) => Term::TryCatch(boxed(inner), caught.map(boxed)),
        Term::IfThenElse(branches, other) => {
            let branch = |(when, then)| (rewritten(when), rewritten(then));
            Term::IfThenElse(branches.into_iter().map(branch).collect(), other.map(boxed))
        }
        Term::Def(defs, inner) => Term::Def(defs.into_iter().map(def).collect(), boxed(inner)),
        Term::Call(name, args) => Term::Call(name, all(args)),
        Term::Path(from, Path(parts)) => {
            let part = |part| match part {
                Part::Index(at) => Part::Index(rewritten(at)),
                Part::Range(from, to) => Part::Range(from.map(rewritten), to.map(rewritten)),
            };
            let parts = parts.into_iter().map(|(at, optional)| (part(at), optional));
            Term::Path(boxed(from), Path(parts.collect()))
        }
    }
}

fn pattern(bound: Pattern<&str>) -> Pattern<&str> {
    match bound {
        Pattern::Var(_) => bound,
        Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(pattern).collect()),
        Pattern::Obj(fields) => {
            Pattern::Obj(fields.into_iter().map(|(key, value)| (rewritten(key), pattern(value))).collect())
        }
    }
}
