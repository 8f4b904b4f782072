//! From an awk program's words to its rules.
//!
//! Source: POSIX `awk`, "Grammar"; gawk 5.2 `awkgram.y` for what both mawk and gawk add, and for the words of errors.

use super::{
    lex::{Placed, Token, Wrong, tokens},
    tree::{Expr, From, Function, Onto, Op, Program, Rule, Statement, When},
};

/// Functions that there are, with the fewest and the most arguments.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("and", 2, 9),
    ("asort", 1, 2),
    ("asorti", 1, 2),
    ("atan2", 2, 2),
    ("close", 1, 2),
    ("compl", 1, 1),
    ("cos", 1, 1),
    ("exp", 1, 1),
    ("fflush", 0, 1),
    ("gensub", 3, 4),
    ("gsub", 2, 3),
    ("index", 2, 2),
    ("int", 1, 1),
    ("length", 0, 1),
    ("log", 1, 1),
    ("lshift", 2, 2),
    ("match", 2, 3),
    ("or", 2, 9),
    ("rand", 0, 0),
    ("rshift", 2, 2),
    ("sin", 1, 1),
    ("split", 2, 3),
    ("sprintf", 1, usize::MAX),
    ("sqrt", 1, 1),
    ("srand", 0, 1),
    ("strftime", 0, 3),
    ("strtonum", 1, 1),
    ("sub", 2, 3),
    ("substr", 2, 3),
    ("system", 1, 1),
    ("systime", 0, 0),
    ("tolower", 1, 1),
    ("toupper", 1, 1),
    ("xor", 2, 9),
];

/// Words that are no names.
const WORDS: &[&str] = &[
    "BEGIN", "END", "break", "continue", "delete", "do", "else", "exit", "for", "func", "function",
    "getline", "if", "in", "next", "nextfile", "print", "printf", "return", "while",
];

/// Deepest nesting of brackets and blocks.
const DEEPEST: usize = 40;

struct Reader {
    tokens: Vec<Placed>,
    at: usize,
    depth: usize,
    /// Where `>` writes to a file: in what `print` prints, outside of brackets.
    prints: bool,
}

type Parsed<T> = Result<T, Wrong>;

/// Reads a whole program.
/// # Errors
/// What is wrong in gawk's words, and where.
pub(super) fn program(text: &str) -> Parsed<Program> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, depth: 0, prints: false };
    let mut program = Program::default();
    loop {
        while reader.take(";") || reader.take("\n") {}
        if reader.peek() == &Token::End {
            return Ok(program);
        }
        reader.item(&mut program)?;
    }
}

impl Reader {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |it| &it.token)
    }

    fn is(&self, op: &str) -> bool {
        matches!(self.peek(), Token::Op(it) if *it == op)
    }

    fn word(&self, name: &str) -> bool {
        matches!(self.peek(), Token::Name(it) | Token::Calls(it) if it == name)
    }

    fn take(&mut self, op: &str) -> bool {
        let found = self.is(op);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, name: &str) -> bool {
        let found = self.word(name);
        self.at += usize::from(found);
        found
    }

    fn lines(&mut self) {
        while self.take("\n") {}
    }

    fn wrong<T>(&self) -> Parsed<T> {
        let place = self.tokens.get(self.at).map_or(0, |it| it.at);
        Err(match self.peek() {
            Token::End => (place, "unexpected newline or end of string".to_owned()),
            Token::Op("\n") => (place, "unexpected newline or end of string".to_owned()),
            _ => (place, "syntax error".to_owned()),
        })
    }

    fn want(&mut self, op: &str) -> Parsed<()> {
        if self.take(op) { Ok(()) } else { self.wrong() }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            let place = self.tokens.get(self.at).map_or(0, |it| it.at);
            return Err((place, "nested deeper than this lab reads".to_owned()));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn name(&mut self) -> Parsed<String> {
        match self.peek().clone() {
            Token::Name(name) if !WORDS.contains(&name.as_str()) => {
                self.at += 1;
                Ok(name)
            }
            _ => self.wrong(),
        }
    }

    fn item(&mut self, program: &mut Program) -> Parsed<()> {
        if self.take_word("function") || self.take_word("func") {
            let name = match self.peek().clone() {
                Token::Name(name) | Token::Calls(name) if !WORDS.contains(&name.as_str()) => name,
                _ => return self.wrong(),
            };
            self.at += 1;
            self.want("(")?;
            let mut parameters = Vec::new();
            while !self.take(")") {
                if !parameters.is_empty() {
                    self.want(",")?;
                    self.lines();
                }
                parameters.push(self.name()?);
            }
            self.lines();
            let body = self.block()?;
            program.functions.insert(name, Function { parameters, body });
            return Ok(());
        }
        for (word, is_begin) in [("BEGIN", true), ("END", false)] {
            if self.take_word(word) {
                if !self.is("{") {
                    return Err((usize::MAX, format!("{word} blocks must have an action part")));
                }
                let body = self.block()?;
                if is_begin { &mut program.begin } else { &mut program.end }.push(body);
                return Ok(());
            }
        }
        let mut when = When::Always;
        if !self.is("{") {
            let first = self.expr()?;
            when = if self.take(",") {
                self.lines();
                When::Range(first, self.expr()?)
            } else {
                When::If(first)
            };
        }
        let body = if self.is("{") {
            self.block()?
        } else {
            if !self.ends() {
                return self.wrong();
            }
            vec![Statement::Print(Vec::new(), None)]
        };
        program.rules.push(Rule { when, body });
        Ok(())
    }

    fn block(&mut self) -> Parsed<Vec<Statement>> {
        self.deeper(|reader| {
            reader.want("{")?;
            let mut body = Vec::new();
            loop {
                while reader.take(";") || reader.take("\n") {}
                if reader.take("}") {
                    return Ok(body);
                }
                body.push(reader.statement()?);
            }
        })
    }

    /// What follows `if ( )`, `else`, `while ( )`: one statement or a block.
    fn branch(&mut self) -> Parsed<Vec<Statement>> {
        self.lines();
        if self.take(";") {
            return Ok(Vec::new());
        }
        if self.is("{") { self.block() } else { self.deeper(|reader| Ok(vec![reader.statement()?])) }
    }

    fn bracketed(&mut self) -> Parsed<Expr> {
        self.want("(")?;
        let test = self.expr()?;
        self.want(")")?;
        Ok(test)
    }

    fn statement(&mut self) -> Parsed<Statement> {
        if self.is("{") {
            return Ok(Statement::If(Expr::Number(1.0), self.block()?, Vec::new()));
        }
        if self.take_word("if") {
            let test = self.bracketed()?;
            let yes = self.branch()?;
            let kept = self.at;
            while self.take(";") || self.take("\n") {}
            if self.take_word("else") {
                return Ok(Statement::If(test, yes, self.branch()?));
            }
            self.at = kept;
            return Ok(Statement::If(test, yes, Vec::new()));
        }
        if self.take_word("while") {
            let test = self.bracketed()?;
            return Ok(Statement::For(None, Some(test), None, self.branch()?));
        }
        if self.take_word("do") {
            let body = self.branch()?;
            while self.take(";") || self.take("\n") {}
            if !self.take_word("while") {
                return self.wrong();
            }
            let test = self.bracketed()?;
            return self.ended(Statement::DoWhile(body, test));
        }
        if self.take_word("for") {
            return self.counted();
        }
        let simple = self.simple()?;
        self.ended(simple)
    }

    /// A statement must end where its line, its block or a semicolon does.
    fn ended(&mut self, statement: Statement) -> Parsed<Statement> {
        if self.is("}") || self.take(";") || self.take("\n") { Ok(statement) } else { self.wrong() }
    }

    fn simple(&mut self) -> Parsed<Statement> {
        for (word, is_formatted) in [("print", false), ("printf", true)] {
            if self.take_word(word) {
                let values = self.printed()?;
                let onto = self.onto()?;
                if is_formatted && values.is_empty() {
                    return self.wrong();
                }
                return Ok(if is_formatted {
                    Statement::Printf(values, onto)
                } else {
                    Statement::Print(values, onto)
                });
            }
        }
        for (word, statement) in [
            ("break", Statement::Break),
            ("continue", Statement::Continue),
            ("next", Statement::Next),
            ("nextfile", Statement::NextFile),
        ] {
            if self.take_word(word) {
                return Ok(statement);
            }
        }
        for (word, make) in [
            ("exit", Statement::Exit as fn(Option<Expr>) -> Statement),
            ("return", Statement::Return as fn(Option<Expr>) -> Statement),
        ] {
            if self.take_word(word) {
                return Ok(make(if self.ends() { None } else { Some(self.expr()?) }));
            }
        }
        if self.take_word("delete") {
            let name = self.name()?;
            let key = if self.is("[") { Some(self.key()?) } else { None };
            return Ok(Statement::Delete(name, key));
        }
        Ok(Statement::Do(self.expr()?))
    }

    /// `for (k in a)` and `for (i = 0; i < n; i++)`.
    fn counted(&mut self) -> Parsed<Statement> {
        self.want("(")?;
        if let [Token::Name(variable), Token::Name(word), Token::Name(array), Token::Op(")")] =
            self.tokens[self.at..].iter().take(4).map(|it| it.token.clone()).collect::<Vec<_>>().as_slice()
            && word == "in"
        {
            let (variable, array) = (variable.clone(), array.clone());
            self.at += 4;
            return Ok(Statement::ForIn(variable, array, self.branch()?));
        }
        let mut parts = [None, None, None];
        for (part, end) in parts.iter_mut().zip([";", ";", ")"]) {
            if !self.is(end) {
                *part = Some(self.expr()?);
            }
            self.want(end)?;
            if end == ";" {
                self.lines();
            }
        }
        let [first, test, step] = parts;
        Ok(Statement::For(first, test, step, self.branch()?))
    }

    fn ends(&self) -> bool {
        self.peek() == &Token::End || [";", "}", "\n"].iter().any(|op| self.is(op))
    }

    /// What `print` prints, which may stand in brackets.
    fn printed(&mut self) -> Parsed<Vec<Expr>> {
        let goes_on = |reader: &Self| [">", ">>", "|"].iter().any(|op| reader.is(op));
        if self.ends() || goes_on(self) {
            return Ok(Vec::new());
        }
        let kept = self.at;
        if self.take("(")
            && let Ok(values) = self.inside(Self::list)
            && self.take(")")
            && (self.ends() || goes_on(self))
        {
            return Ok(values);
        }
        self.at = kept;
        self.prints = true;
        let values = self.list();
        self.prints = false;
        values
    }

    fn onto(&mut self) -> Parsed<Option<Onto>> {
        for (op, make) in [
            (">>", Onto::Append as fn(Expr) -> Onto),
            (">", Onto::File as fn(Expr) -> Onto),
            ("|", Onto::Command as fn(Expr) -> Onto),
        ] {
            if self.take(op) {
                self.prints = true;
                let to = self.joined();
                self.prints = false;
                return Ok(Some(make(to?)));
            }
        }
        Ok(None)
    }

    /// Reads what stands in brackets: `>` compares there.
    fn inside<T>(&mut self, read: fn(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let kept = std::mem::take(&mut self.prints);
        let result = self.deeper(read);
        self.prints = kept;
        result
    }

    fn list(&mut self) -> Parsed<Vec<Expr>> {
        let mut values = vec![self.expr()?];
        while self.take(",") {
            self.lines();
            values.push(self.expr()?);
        }
        Ok(values)
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.deeper(|reader| {
            let left = reader.either()?;
            if reader.take("?") {
                reader.lines();
                let yes = reader.expr()?;
                reader.lines();
                reader.want(":")?;
                reader.lines();
                let no = reader.expr()?;
                return Ok(Expr::Choice(Box::new(left), Box::new(yes), Box::new(no)));
            }
            Ok(left)
        })
    }

    /// `place = value`, which binds to the right, behind any other expression: `1 + x = 2` is no awk, `a && x = 2` is.
    fn assigned(&mut self, left: Expr) -> Parsed<Expr> {
        if !matches!(left, Expr::Variable(_) | Expr::Item(..) | Expr::Field(_)) {
            return Ok(left);
        }
        for (op, with) in [
            ("=", None),
            ("+=", Some(Op::Plus)),
            ("-=", Some(Op::Minus)),
            ("*=", Some(Op::Times)),
            ("/=", Some(Op::Divided)),
            ("%=", Some(Op::Modulo)),
            ("^=", Some(Op::Power)),
        ] {
            if self.take(op) {
                self.lines();
                let right = self.expr()?;
                return Ok(Expr::Assign(with, Box::new(left), Box::new(right)));
            }
        }
        Ok(left)
    }

    fn level(&mut self, ops: &[(&str, Op)], below: fn(&mut Self) -> Parsed<Expr>) -> Parsed<Expr> {
        let mut left = below(self)?;
        while let Some((name, op)) = ops.iter().find(|(name, _)| self.is(name)) {
            self.at += 1;
            if matches!(*name, "&&" | "||") {
                self.lines();
            }
            let right = below(self)?;
            // Numbers are reckoned while the program is read.
            if matches!((op, &left, &right), (Op::Divided, Expr::Number(_), Expr::Number(0.0))) {
                return Err((usize::MAX, "error: division by zero attempted".to_owned()));
            }
            left = Expr::Binary(*op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn either(&mut self) -> Parsed<Expr> {
        self.level(&[("||", Op::Or)], Self::both)
    }

    fn both(&mut self) -> Parsed<Expr> {
        self.level(&[("&&", Op::And)], Self::member)
    }

    fn member(&mut self) -> Parsed<Expr> {
        let mut key = self.matching()?;
        while self.take_word("in") {
            key = Expr::In(Box::new(key), self.name()?);
        }
        Ok(key)
    }

    fn matching(&mut self) -> Parsed<Expr> {
        self.level(&[("~", Op::Matches), ("!~", Op::MatchesNot)], Self::compared)
    }

    fn compared(&mut self) -> Parsed<Expr> {
        let mut left = self.joined()?;
        loop {
            if self.is("|")
                && matches!(self.tokens.get(self.at + 1).map(|it| &it.token), Some(Token::Name(name)) if name == "getline")
            {
                self.at += 2;
                let into = self.place()?;
                left = Expr::Getline(From::Command(Box::new(left)), into);
                continue;
            }
            let op = match self.peek() {
                Token::Op("==") => Op::Equal,
                Token::Op("!=") => Op::Unequal,
                Token::Op("<") => Op::Less,
                Token::Op("<=") => Op::LessOrEqual,
                Token::Op(">=") => Op::GreaterOrEqual,
                Token::Op(">") if !self.prints => Op::Greater,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.joined()?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
    }

    /// Values that stand side by side are joined.
    fn joined(&mut self) -> Parsed<Expr> {
        let mut left = self.sum()?;
        loop {
            let begins = match self.peek() {
                Token::Number(_) | Token::Text(_) => true,
                Token::Name(name) | Token::Calls(name) => !WORDS.contains(&name.as_str()),
                Token::Op(op) => matches!(*op, "$" | "(" | "++" | "--"),
                Token::Regex(_) | Token::End => false,
            };
            if !begins {
                return Ok(left);
            }
            let right = self.sum()?;
            left = Expr::Binary(Op::Join, Box::new(left), Box::new(right));
        }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        self.level(&[("+", Op::Plus), ("-", Op::Minus)], Self::product)
    }

    fn product(&mut self) -> Parsed<Expr> {
        self.level(&[("*", Op::Times), ("/", Op::Divided), ("%", Op::Modulo)], Self::unary)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        for (op, make) in [
            ("!", Expr::Not as fn(Box<Expr>) -> Expr),
            ("-", Expr::Minus as fn(Box<Expr>) -> Expr),
            ("+", Expr::Plus as fn(Box<Expr>) -> Expr),
        ] {
            if self.take(op) {
                return self.deeper(|reader| Ok(make(Box::new(reader.unary()?))));
            }
        }
        let value = self.stepped()?;
        if self.take("^") {
            let power = self.deeper(Self::unary)?;
            return Ok(Expr::Binary(Op::Power, Box::new(value), Box::new(power)));
        }
        Ok(value)
    }

    fn stepped(&mut self) -> Parsed<Expr> {
        for (op, change) in [("++", 1.0), ("--", -1.0)] {
            if self.take(op) {
                let Some(place) = self.place()? else { return self.wrong() };
                return Ok(Expr::Before(place, change));
            }
        }
        let value = self.primary()?;
        if matches!(value, Expr::Variable(_) | Expr::Item(..) | Expr::Field(_)) {
            for (op, change) in [("++", 1.0), ("--", -1.0)] {
                if self.take(op) {
                    return Ok(Expr::After(Box::new(value), change));
                }
            }
        }
        self.assigned(value)
    }

    /// What can be set, if it comes next.
    fn place(&mut self) -> Parsed<Option<Box<Expr>>> {
        let is_place = match self.peek() {
            Token::Name(name) => !WORDS.contains(&name.as_str()) && function(name).is_none(),
            Token::Op(op) => *op == "$",
            _ => false,
        };
        Ok(if is_place { Some(Box::new(self.primary()?)) } else { None })
    }

    fn key(&mut self) -> Parsed<Expr> {
        self.want("[")?;
        let mut keys = self.inside(Self::list)?;
        self.want("]")?;
        Ok(match keys.len() {
            1 => keys.remove(0),
            _ => Expr::Keys(keys),
        })
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let token = self.peek().clone();
        let place = self.tokens.get(self.at).map_or(0, |it| it.at);
        match token {
            Token::Number(number) => {
                self.at += 1;
                Ok(Expr::Number(number))
            }
            Token::Text(text) => {
                self.at += 1;
                Ok(Expr::Text(text))
            }
            Token::Regex(pattern) => {
                self.at += 1;
                Ok(Expr::Regex(pattern))
            }
            Token::Op("$") => {
                self.at += 1;
                self.deeper(|reader| {
                    let inner = match reader.peek() {
                        Token::Op("-") => {
                            reader.at += 1;
                            Expr::Minus(Box::new(reader.primary()?))
                        }
                        Token::Op("++" | "--") => reader.stepped()?,
                        _ => reader.primary()?,
                    };
                    Ok(Expr::Field(Box::new(inner)))
                })
            }
            Token::Op("(") => {
                self.at += 1;
                let mut inner = self.inside(Self::list)?;
                self.want(")")?;
                if inner.len() > 1 {
                    if !self.take_word("in") {
                        return self.wrong();
                    }
                    return Ok(Expr::In(Box::new(Expr::Keys(inner)), self.name()?));
                }
                Ok(Expr::Group(Box::new(inner.remove(0))))
            }
            Token::Name(name) | Token::Calls(name) if name == "getline" => {
                self.at += 1;
                let into = self.place()?;
                if self.take("<") {
                    let file = self.deeper(Self::primary)?;
                    return Ok(Expr::Getline(From::File(Box::new(file)), into));
                }
                Ok(Expr::Getline(From::Input, into))
            }
            Token::Name(name) | Token::Calls(name) if function(&name).is_some() => {
                self.at += 1;
                let (known, fewest, most) = function(&name).unwrap_or_default();
                if !self.take("(") {
                    return if known == "length" { Ok(Expr::Call(known, Vec::new())) } else { self.wrong() };
                }
                let given = self.given()?;
                if given.len() < fewest || given.len() > most {
                    let at = self.tokens.get(self.at.saturating_sub(1)).map_or(place, |it| it.at);
                    return Err((
                        at,
                        format!("{} is invalid as number of arguments for {name}", given.len()),
                    ));
                }
                Ok(Expr::Call(known, given))
            }
            Token::Calls(name) if !WORDS.contains(&name.as_str()) => {
                self.at += 2;
                Ok(Expr::Own(name, self.given()?))
            }
            Token::Name(name) if !WORDS.contains(&name.as_str()) => {
                self.at += 1;
                if self.is("[") {
                    return Ok(Expr::Item(name, Box::new(self.key()?)));
                }
                Ok(Expr::Variable(name))
            }
            _ => self.wrong(),
        }
    }

    /// The arguments of a call, whose bracket is open.
    fn given(&mut self) -> Parsed<Vec<Expr>> {
        self.lines();
        if self.take(")") {
            return Ok(Vec::new());
        }
        let given = self.inside(Self::list)?;
        self.lines();
        self.want(")")?;
        Ok(given)
    }
}

fn function(name: &str) -> Option<(&'static str, usize, usize)> {
    FUNCTIONS.iter().copied().find(|(known, ..)| *known == name)
}
