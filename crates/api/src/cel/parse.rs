//! How does a text become an expression, and what is wrong with one that does not?
//!
//! Complaints are those of the parser that ANTLR makes of cel-go's grammar: what is dropped, missing or not expected, in that order.
//! After the first mismatch nothing more is looked for.
//! Source: cel-go `parser/gen/CEL.g4`, `parser/parser.go`, `parser/macro.go`; ANTLR `DefaultErrorStrategy`.

use super::{
    ast::{Expr, Fold, FoldKind, Node},
    lex::{self, Kind, Token},
    value::Val,
};

/// How deep expressions nest, and how many parts they have.
const DEEPEST: usize = 100;
const LARGEST: usize = 20_000;

/// What an operand may begin with.
const OPERAND: &str = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/// Words that are not names. Source: `parser/helper.go`.
const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "null",
    "package",
    "namespace",
    "return",
    "true",
];

/// A complaint and its place.
pub(super) type Wrong = (usize, String);

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, Vec<Wrong>> {
    let (tokens, mut wrong) = lex::tokens(text);
    let mut parser = Parser { tokens, next: 0, depth: 0, parts: 0, wrong: Vec::new() };
    let root = parser.whole();
    wrong.append(&mut parser.wrong);
    wrong.sort_by_key(|(at, _)| *at);
    match root {
        Ok(root) if wrong.is_empty() => Ok(root),
        Ok(_) | Err(Stop) => Err(wrong),
    }
}

/// Reading stopped; why is written down.
struct Stop;

type Read<T = Expr> = Result<T, Stop>;

struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    next: usize,
    depth: usize,
    parts: usize,
    wrong: Vec<Wrong>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Token<'t> {
        self.after(0)
    }

    fn after(&self, more: usize) -> Token<'t> {
        self.tokens[(self.next + more).min(self.tokens.len() - 1)]
    }

    fn take(&mut self) -> Token<'t> {
        let token = self.peek();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn is(&self, sign: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Sign && token.text == sign
    }

    fn accept(&mut self, sign: &str) -> bool {
        let is = self.is(sign);
        if is {
            self.take();
        }
        is
    }

    fn complain(&mut self, at: usize, words: impl Into<String>) {
        self.wrong.push((at, words.into()));
    }

    fn stop<T>(&mut self, at: usize, words: impl Into<String>) -> Read<T> {
        self.complain(at, words);
        Err(Stop)
    }

    fn mismatch<T>(&mut self, expected: &str) -> Read<T> {
        let token = self.peek();
        self.stop(token.at, format!("Syntax error: mismatched input '{}' expecting {expected}", token.text))
    }

    fn expr_at(&mut self, at: usize, node: Node) -> Read {
        self.parts += 1;
        if self.parts > LARGEST {
            return self.stop(0, format!("expression node count exceeds limit: {LARGEST}"));
        }
        Ok(Expr { at, node })
    }

    /// A sign that must come; one token too many before it is dropped, and a missing one is thought of.
    fn expect(&mut self, sign: &str) -> Read<()> {
        if self.accept(sign) {
            return Ok(());
        }
        let (token, next) = (self.peek(), self.after(1));
        if next.kind == Kind::Sign && next.text == sign {
            self.complain(
                token.at,
                format!("Syntax error: extraneous input '{}' expecting '{sign}'", token.text),
            );
            self.next += 2;
            return Ok(());
        }
        let follows = match sign {
            ":" => is_start(token),
            _ if token.kind == Kind::End => true,
            _ => token.kind == Kind::Sign && !is_start(token) && !matches!(token.text, "?" | ":"),
        };
        if follows {
            return self.stop(token.at, format!("Syntax error: missing '{sign}' at '{}'", token.text));
        }
        self.mismatch(&format!("'{sign}'"))
    }

    fn whole(&mut self) -> Read {
        let root = self.expr()?;
        let token = self.peek();
        if token.kind != Kind::End {
            let how = if self.after(1).kind == Kind::End { "extraneous" } else { "mismatched" };
            return self
                .stop(token.at, format!("Syntax error: {how} input '{}' expecting <EOF>", token.text));
        }
        Ok(root)
    }

    fn expr(&mut self) -> Read {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.stop(0, format!("expression recursion limit exceeded: {DEEPEST}"));
        }
        let test = self.either()?;
        let token = self.peek();
        let found = if self.accept("?") {
            let yes = self.either()?;
            self.expect(":")?;
            let no = self.expr()?;
            self.operator(token.at, "_?_:_", vec![test, yes, no])?
        } else {
            test
        };
        self.depth -= 1;
        Ok(found)
    }

    fn operator(&mut self, at: usize, name: &str, args: Vec<Expr>) -> Read {
        self.expr_at(at, Node::Call { name: name.to_owned(), target: None, args })
    }

    fn either(&mut self) -> Read {
        let mut parts = vec![self.both()?];
        let mut signs = Vec::new();
        while self.is("||") {
            signs.push(self.take().at);
            parts.push(self.both()?);
        }
        self.balanced("_||_", parts, &signs)
    }

    fn both(&mut self) -> Read {
        let mut parts = vec![self.relation()?];
        let mut signs = Vec::new();
        while self.is("&&") {
            signs.push(self.take().at);
            parts.push(self.relation()?);
        }
        self.balanced("_&&_", parts, &signs)
    }

    /// Many conditions become a tree that is as low as it can be.
    fn balanced(&mut self, name: &str, mut parts: Vec<Expr>, signs: &[usize]) -> Read {
        if signs.is_empty() {
            return parts.pop().ok_or(Stop);
        }
        let middle = signs.len() / 2;
        let right = parts.split_off(middle + 1);
        let left = self.balanced(name, parts, &signs[..middle])?;
        let right = self.balanced(name, right, &signs[middle + 1..])?;
        self.operator(signs[middle], name, vec![left, right])
    }

    fn relation(&mut self) -> Read {
        let mut left = self.sum()?;
        loop {
            let token = self.peek();
            let name = match (token.kind, token.text) {
                (Kind::Sign, "in") => "@in",
                (Kind::Sign, "==") => "_==_",
                (Kind::Sign, "!=") => "_!=_",
                (Kind::Sign, "<") => "_<_",
                (Kind::Sign, "<=") => "_<=_",
                (Kind::Sign, ">") => "_>_",
                (Kind::Sign, ">=") => "_>=_",
                _ => return Ok(left),
            };
            self.take();
            let right = self.sum()?;
            left = self.operator(token.at, name, vec![left, right])?;
        }
    }

    fn sum(&mut self) -> Read {
        let mut left = self.product()?;
        while self.is("+") || self.is("-") {
            let token = self.take();
            let right = self.product()?;
            left =
                self.operator(token.at, if token.text == "+" { "_+_" } else { "_-_" }, vec![left, right])?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Read {
        let mut left = self.unary()?;
        while self.is("*") || self.is("/") || self.is("%") {
            let token = self.take();
            let right = self.unary()?;
            let name = match token.text {
                "*" => "_*_",
                "/" => "_/_",
                _ => "_%_",
            };
            left = self.operator(token.at, name, vec![left, right])?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Read {
        let token = self.peek();
        if !is_start(token) {
            if !is_start(self.after(1)) {
                return self.mismatch(OPERAND);
            }
            self.complain(
                token.at,
                format!("Syntax error: extraneous input '{}' expecting {OPERAND}", token.text),
            );
            self.take();
        }
        for (sign, name) in [("!", "!_"), ("-", "-_")] {
            let first = self.peek();
            // A number's own sign belongs to it.
            let number = self.after(1);
            let is_number = matches!(number.kind, Kind::Int | Kind::Float) && number.at == first.at + 1;
            if !self.is(sign) || (sign == "-" && is_number) {
                continue;
            }
            let mut times = 0;
            while self.accept(sign) {
                times += 1;
            }
            let inner = self.member()?;
            return if times % 2 == 1 { self.operator(first.at, name, vec![inner]) } else { Ok(inner) };
        }
        self.member()
    }

    fn member(&mut self) -> Read {
        let mut left = self.primary()?;
        loop {
            let token = self.peek();
            if self.accept(".") {
                let optional = self.accept("?");
                let field = self.take();
                if field.kind != Kind::Name {
                    let words = format!("Syntax error: no viable alternative at input '.{}'", ended(field));
                    return self.stop(field.at, words);
                }
                let open = self.peek();
                if !optional && self.accept("(") {
                    let args = self.args()?;
                    left = self.method(open.at, left, field, args)?;
                } else {
                    let field = field.text.to_owned();
                    left = self.expr_at(token.at, Node::Select { of: Box::new(left), field, optional })?;
                }
            } else if self.accept("[") {
                let name = if self.accept("?") { "_[?_]" } else { "_[_]" };
                let index = self.expr()?;
                self.expect("]")?;
                left = self.operator(token.at, name, vec![left, index])?;
            } else if self.is("{") && dotted(&left).is_some() {
                let name = dotted(&left).unwrap_or_default();
                self.take();
                while !self.is("}") && self.peek().kind != Kind::End {
                    self.take();
                }
                self.expect("}")?;
                left = self.expr_at(token.at, Node::Made(name))?;
            } else {
                return Ok(left);
            }
        }
    }

    fn args(&mut self) -> Read<Vec<Expr>> {
        let mut args = Vec::new();
        if self.accept(")") {
            return Ok(args);
        }
        loop {
            args.push(self.expr()?);
            if !self.accept(",") {
                self.expect(")")?;
                return Ok(args);
            }
        }
    }

    fn primary(&mut self) -> Read {
        let token = self.take();
        match (token.kind, token.text) {
            (Kind::Sign, "(") => {
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(inner)
            }
            (Kind::Sign, "[") => self.list(token.at),
            (Kind::Sign, "{") => self.map(token.at),
            (Kind::Sign, ".") if self.peek().kind == Kind::Name => {
                let name = self.take();
                self.named(name)
            }
            (Kind::Sign, "true") => self.literal(token, Val::Bool(true)),
            (Kind::Sign, "false") => self.literal(token, Val::Bool(false)),
            (Kind::Sign, "null") => self.literal(token, Val::Null),
            (Kind::Sign, "-") => {
                let number = self.take();
                self.number(token.at, number, true)
            }
            (Kind::Int | Kind::Uint | Kind::Float, _) => self.number(token.at, token, false),
            (Kind::Text | Kind::Bytes, _) => match lex::unquoted(token.text) {
                Ok(bytes) if token.kind == Kind::Bytes => self.literal(token, Val::Bytes(bytes.into())),
                Ok(bytes) => {
                    let text = String::from_utf8_lossy(&bytes);
                    self.literal(token, Val::Text(text.as_ref().into()))
                }
                Err(words) => self.stop(token.at, words),
            },
            (Kind::Name, _) => self.named(token),
            (Kind::Sign | Kind::End, _) => {
                self.next -= usize::from(token.kind != Kind::End);
                self.mismatch(OPERAND)
            }
        }
    }

    fn literal(&mut self, token: Token<'_>, value: Val) -> Read {
        self.expr_at(token.at, Node::Literal(value))
    }

    fn number(&mut self, at: usize, token: Token<'_>, negative: bool) -> Read {
        let sign = if negative { "-" } else { "" };
        let text = format!("{sign}{}", token.text);
        let whole = |text: &str| match text.trim_start_matches('-').strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(&format!("{sign}{hex}"), 16).ok(),
            None => text.parse::<i64>().ok(),
        };
        let (value, words) = match token.kind {
            Kind::Int => (whole(&text).map(Val::Int), "invalid int literal"),
            Kind::Uint => {
                let bare = token.text.trim_end_matches(['u', 'U']);
                let number = match bare.strip_prefix("0x") {
                    Some(hex) => u64::from_str_radix(hex, 16).ok(),
                    None => bare.parse().ok(),
                };
                (number.map(Val::Uint), "invalid uint literal")
            }
            _ => (
                text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Val::Double),
                "invalid double literal",
            ),
        };
        match value {
            Some(value) => self.expr_at(at, Node::Literal(value)),
            None => self.stop(at, words),
        }
    }

    fn named(&mut self, token: Token<'_>) -> Read {
        if RESERVED.contains(&token.text) {
            return self.stop(token.at, format!("reserved identifier: {}", token.text));
        }
        let open = self.peek();
        if !self.accept("(") {
            return self.expr_at(token.at, Node::Name(token.text.to_owned()));
        }
        let mut args = self.args()?;
        if token.text == "has" && args.len() == 1 {
            let arg = args.remove(0);
            return match arg.node {
                Node::Select { of, field, optional: false } => self.expr_at(open.at, Node::Has { of, field }),
                _ => self.stop(arg.at, "invalid argument to has() macro"),
            };
        }
        self.expr_at(open.at, Node::Call { name: token.text.to_owned(), target: None, args })
    }

    fn list(&mut self, at: usize) -> Read {
        let mut items = Vec::new();
        loop {
            if self.accept("]") {
                return self.expr_at(at, Node::List(items));
            }
            let optional = self.accept("?");
            items.push((self.expr()?, optional));
            if !self.accept(",") {
                if !self.is("]") {
                    return self.closing("]");
                }
                self.take();
                return self.expr_at(at, Node::List(items));
            }
        }
    }

    fn map(&mut self, at: usize) -> Read {
        let mut entries = Vec::new();
        loop {
            if self.accept("}") {
                return self.expr_at(at, Node::Map(entries));
            }
            let optional = self.accept("?");
            let key = self.expr()?;
            self.expect(":")?;
            entries.push((key, self.expr()?, optional));
            if !self.accept(",") {
                if !self.is("}") {
                    return self.closing("}");
                }
                self.take();
                return self.expr_at(at, Node::Map(entries));
            }
        }
    }

    /// A list or map that does not end where it should.
    fn closing(&mut self, sign: &str) -> Read {
        let (token, next) = (self.peek(), self.after(1));
        let is_next = next.kind == Kind::Sign && (next.text == sign || next.text == ",");
        let how = if is_next { "extraneous" } else { "mismatched" };
        self.stop(token.at, format!("Syntax error: {how} input '{}' expecting {{'{sign}', ','}}", token.text))
    }

    /// A method, or a macro that looks like one.
    fn method(&mut self, at: usize, target: Expr, name: Token<'_>, mut args: Vec<Expr>) -> Read {
        let kind = match (name.text, args.len()) {
            ("all", 2 | 3) => Some(FoldKind::All),
            ("exists", 2 | 3) => Some(FoldKind::Exists),
            ("exists_one", 2) | ("existsOne", 2 | 3) => Some(FoldKind::ExistsOne),
            ("filter", 2) => Some(FoldKind::Filter),
            ("map", 2 | 3) | ("transformList", 3 | 4) => Some(FoldKind::List),
            ("transformMap", 3 | 4) => Some(FoldKind::Map),
            ("transformMapEntry", 3 | 4) => Some(FoldKind::Entries),
            _ => None,
        };
        if matches!(name.text, "optMap" | "optFlatMap") && args.len() == 2 {
            let then = Box::new(args.remove(1));
            let bound = args.remove(0);
            let Node::Name(name_of) = bound.node else {
                return self
                    .stop(bound.at, format!("{}() variable name must be a simple identifier", name.text));
            };
            let flat = name.text == "optFlatMap";
            return self.expr_at(at, Node::Opt { of: Box::new(target), name: name_of, then, flat });
        }
        let Some(kind) = kind else {
            let target = Some(Box::new(target));
            return self.expr_at(at, Node::Call { name: name.text.to_owned(), target, args });
        };
        let two = name.text.starts_with("transform") || (name.text != "map" && args.len() == 3);
        let mut names = Vec::new();
        for _ in 0..if two { 2 } else { 1 } {
            let bound = args.remove(0);
            match bound.node {
                Node::Name(name) => names.push(name),
                _ => return self.stop(bound.at, "argument must be a simple name"),
            }
        }
        let only = (args.len() == 2).then(|| args.remove(0));
        let body = args.pop().ok_or(Stop)?;
        let (body, value) = match (kind, body) {
            (FoldKind::Entries, Expr { at, node: Node::Map(mut entries) }) if entries.len() == 1 => {
                let Some((key, value, _)) = entries.pop() else { return self.stop(at, "unexpected entry") };
                (key, Some(value))
            }
            (_, body) => (body, None),
        };
        self.expr_at(at, Node::Fold(Box::new(Fold { kind, range: target, names, only, body, value })))
    }
}

fn ended(token: Token<'_>) -> &str {
    if token.kind == Kind::End { "" } else { token.text }
}

/// Whether an operand may begin so.
fn is_start(token: Token<'_>) -> bool {
    match token.kind {
        Kind::Sign => matches!(token.text, "[" | "{" | "(" | "." | "-" | "!" | "true" | "false" | "null"),
        Kind::Float | Kind::Int | Kind::Uint | Kind::Text | Kind::Bytes | Kind::Name => true,
        Kind::End => false,
    }
}

/// `a.b.c`, if it is nothing but names.
pub(super) fn dotted(expr: &Expr) -> Option<String> {
    match &expr.node {
        Node::Name(name) => Some(name.clone()),
        Node::Select { of, field, optional: false } => Some(format!("{}.{field}", dotted(of)?)),
        _ => None,
    }
}
