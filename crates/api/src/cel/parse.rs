//! How does a text become an expression, and what is wrong with one that does not?
//!
//! The grammar and its complaints are the `cel` crate's, whose parser ANTLR makes of cel-go's own grammar; [`super::tree`] reads what it
//! found.
//! Source: cel-go `parser/parser.go`, `parser/macro.go`.

use cel::{ParseError, common::ast::Expr as Read, parser::Macro};

use super::{ast::Expr, tree};

/// A complaint and how many bytes stand before its place.
pub(super) type Wrong = (usize, String);

/// The place of what is said of the whole.
pub(super) const NOWHERE: usize = usize::MAX;

/// How long an expression may be, in code points, and how deep it may nest. Source: cel-go `parser/parser.go`.
const LONGEST: usize = 100_000;
const DEEPEST: usize = 250;

/// MODEL: an expression is read up to 50 levels of brackets and 200 operators in a row; the API server takes 250 levels, the stack of a
/// page does not.
const NESTED: u16 = 50;
const CHAINED: usize = 200;

thread_local! {
    static GRAMMAR: cel::Env = grammar();
}

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, Vec<Wrong>> {
    let size = text.chars().count();
    if size > LONGEST {
        let words = format!("expression code point size exceeds limit: size: {size}, limit {LONGEST}");
        return Err(vec![(NOWHERE, words)]);
    }
    if longest_chain(text) > CHAINED {
        return Err(vec![(NOWHERE, "max recursion depth exceeded".to_owned())]);
    }
    let read = GRAMMAR.with(|it| it.parser().max_recursion_depth(NESTED).parse_with_source_info(text));
    let (root, places) = read.map_err(|wrong| {
        if wrong.errors.iter().any(|error| error.msg.contains("Recursion limit of")) {
            return vec![(NOWHERE, format!("expression recursion limit exceeded: {DEEPEST}"))];
        }
        complaints(text, wrong.errors)
    })?;
    tree::read(root, &places).map_err(|wrong| vec![wrong])
}

/// The grammar with the macros of the API server, which are looked at and left as they are written: what looks at each item of a list stays
/// one part, so that it is explained in the words of who wrote it.
fn grammar() -> cel::Env {
    const SIMPLE: &str = "argument must be a simple name";
    const IDENTIFIER: &str = "argument is not an identifier";
    // Name, arguments, how many of them are names, and what is said where they are not.
    let bound = [
        ("all", 2, 1, SIMPLE),
        ("exists", 2, 1, SIMPLE),
        ("exists_one", 2, 1, SIMPLE),
        ("existsOne", 2, 1, SIMPLE),
        ("map", 2, 1, IDENTIFIER),
        ("map", 3, 1, IDENTIFIER),
        ("filter", 2, 1, IDENTIFIER),
        ("all", 3, 2, SIMPLE),
        ("exists", 3, 2, SIMPLE),
        ("existsOne", 3, 2, SIMPLE),
        ("transformList", 3, 2, SIMPLE),
        ("transformList", 4, 2, SIMPLE),
        ("transformMap", 3, 2, SIMPLE),
        ("transformMap", 4, 2, SIMPLE),
        ("transformMapEntry", 3, 2, SIMPLE),
        ("transformMapEntry", 4, 2, SIMPLE),
        ("optMap", 2, 1, "optMap() variable name must be a simple identifier"),
        ("optFlatMap", 2, 1, "optFlatMap() variable name must be a simple identifier"),
    ];
    let names = bound.into_iter().map(|(name, arguments, names, words)| {
        Macro::receiver(name, arguments, move |helper, _, args| {
            let mut seen = "";
            for arg in args.iter().take(names) {
                let Read::Ident(name) = &arg.expr else { return Err(helper.new_error(arg.id, words)) };
                if name == "__result__" {
                    return Err(
                        helper.new_error(arg.id, "iteration variable overwrites accumulator variable")
                    );
                }
                if name == seen {
                    return Err(helper.new_error(arg.id, format!("duplicate variable name: {name}")));
                }
                seen = name;
            }
            Ok(None)
        })
    });
    let has = Macro::global("has", 1, |helper, _, args| match args.first() {
        Some(arg) if !matches!(arg.expr, Read::Select(_)) => {
            Err(helper.new_error(arg.id, "invalid argument to has() macro"))
        }
        _ => Ok(None),
    });
    let mut env = cel::Env::default();
    for one in names.chain([has]) {
        // Only one of two with the same name and arguments is refused.
        drop(env.add_macro(one));
    }
    env
}

/// What the grammar says, in cel-go's words.
fn complaints(text: &str, errors: Vec<ParseError>) -> Vec<Wrong> {
    // Where a part is missing, the crate says so once more of the part that is not there.
    let is_echo = |error: &ParseError| error.msg.starts_with("No `") || error.msg.starts_with("Incomplete `");
    let (echoes, errors): (Vec<_>, Vec<_>) = errors.into_iter().partition(is_echo);
    let errors = if errors.is_empty() { echoes } else { errors };
    let said = errors.into_iter().map(|error| {
        let at = place(text, error.pos);
        (at, expecting(error.msg, &text[..at]))
    });
    said.collect()
}

/// UPSTREAM: where an expression has ended and what must follow does not, Go's ANTLR names only what must follow; the crate's names all
/// operators too, and what had to follow an earlier part.
fn expecting(words: String, before: &str) -> String {
    let Some((said, set)) = words.split_once(" expecting {") else { return words };
    if !set.contains("'=='") {
        return words;
    }
    let follows = match open(before).last() {
        None => "<EOF>",
        Some('(') => "')'",
        Some('[') => "{']', ','}",
        Some('{') => "{'}', ','}",
        Some('?' | ':') => "':'",
        Some(_) => "']'",
    };
    // Found where it should be, it is because the rule that wanted it was given up at a complaint before.
    let is_found =
        said.rsplit_once("input ").is_some_and(|(_, found)| found != "'<EOF>'" && follows.contains(found));
    format!("{said} expecting {}", if is_found { "<EOF>" } else { follows })
}

/// Brackets that are still open at the end of a text: `i` for that of an index, `:` for a map's that waits for a value, and `?` for a
/// condition without its other half.
fn open(text: &str) -> Vec<char> {
    let (mut open, mut last) = (Vec::new(), ' ');
    for (_, letter) in outside(text) {
        match letter {
            '(' => open.push('('),
            '{' => open.push(':'),
            '[' if last.is_alphanumeric() || matches!(last, '_' | ')' | ']' | '\'' | '"') => open.push('i'),
            '[' => open.push('['),
            '?' if !matches!(last, '.' | '[' | '{' | ',') => open.push('?'),
            ')' | ']' | '}' => drop(open.pop()),
            ':' => match open.last_mut() {
                Some(map @ ':') => *map = '{',
                Some('?') => drop(open.pop()),
                _ => {}
            },
            ',' => {
                if let Some(map @ '{') = open.last_mut() {
                    *map = ':';
                }
            }
            _ => {}
        }
        if !letter.is_whitespace() {
            last = letter;
        }
    }
    open
}

/// The letters of an expression that stand outside quotes, and the quotes.
fn outside(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut escaped) = (None, false);
    text.char_indices().filter(move |(_, letter)| match quote {
        Some(_) if escaped => {
            escaped = false;
            false
        }
        Some(open) => {
            escaped = *letter == '\\';
            if *letter == open {
                quote = None;
            }
            *letter == open
        }
        None => {
            if matches!(letter, '"' | '\'') {
                quote = Some(*letter);
            }
            true
        }
    })
}

/// How many signs in a row may each make the tree one level deeper.
fn longest_chain(text: &str) -> usize {
    let (mut longest, mut chain) = (0, 0);
    for (_, letter) in outside(text) {
        match letter {
            '.' | '[' | '{' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '!' => chain += 1,
            ',' | '|' | '&' | '?' | ':' => chain = 0,
            _ => {}
        }
        longest = longest.max(chain);
    }
    longest
}

/// Bytes before a line and column, which count from one.
fn place(text: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (usize::try_from(line - 1).unwrap_or(0), usize::try_from(column - 1).unwrap_or(0));
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[before..];
    before + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}
