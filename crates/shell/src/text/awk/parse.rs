//! From an awk program's text to its rules.

/// A pattern with its action.
pub(in crate::text) struct Rule {
    pub when: When,
    pub body: Vec<Statement>,
}

/// When a rule applies.
pub(in crate::text) enum When {
    Begin,
    End,
    Always,
    If(Expr),
}

/// One statement.
pub(in crate::text) enum Statement {
    Print(Vec<Expr>),
    Printf(Vec<Expr>),
    Do(Expr),
    If(Expr, Vec<Statement>, Vec<Statement>),
    /// First what begins, then what goes on while its test holds, and what follows each round.
    For(Option<Expr>, Option<Expr>, Option<Expr>, Vec<Statement>),
    /// A variable, an array, and what is done with each key.
    ForIn(String, String, Vec<Statement>),
    Delete(String, Option<Expr>),
    Break,
    Continue,
    Next,
    Exit(Option<Expr>),
}

/// One expression.
pub(in crate::text) enum Expr {
    Number(f64),
    Text(String),
    Regex(String),
    Field(Box<Expr>),
    Variable(String),
    Item(String, Box<Expr>),
    Call(String, Vec<Expr>),
    /// Whether an array has a key.
    In(Box<Expr>, String),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `x++`: the place, and what is added after its value was taken.
    After(Box<Expr>, f64),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Assign(String, Box<Expr>, Box<Expr>),
    Binary(String, Box<Expr>, Box<Expr>),
}

/// Functions that there are.
pub(in crate::text) const FUNCTIONS: &[&str] = &[
    "cos", "exp", "gsub", "index", "int", "length", "log", "match", "sin", "split", "sprintf", "sqrt", "sub",
    "substr", "tolower", "toupper",
];

/// Deepest nesting of brackets.
const DEEPEST: usize = 50;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    Op(String),
    End,
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, String>;

/// Reads a whole program.
pub(super) fn program(text: &str) -> Parsed<Vec<Rule>> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, depth: 0 };
    let mut rules = Vec::new();
    loop {
        while reader.is(";") || reader.is("\n") {
            reader.at += 1;
        }
        if reader.peek() == &Token::End {
            return Ok(rules);
        }
        let when = match reader.peek() {
            Token::Op(op) if op == "{" => When::Always,
            Token::Name(name) if name == "BEGIN" => {
                reader.at += 1;
                When::Begin
            }
            Token::Name(name) if name == "END" => {
                reader.at += 1;
                When::End
            }
            _ => When::If(reader.expr()?),
        };
        let body = if reader.is("{") { reader.block()? } else { vec![Statement::Print(Vec::new())] };
        rules.push(Rule { when, body });
    }
}

fn tokens(text: &str) -> Parsed<Vec<Token>> {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<Token> = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        // A slash begins a pattern where no value stands before it.
        let value_before = matches!(out.last(), Some(Token::Number(_) | Token::Text(_) | Token::Name(_)))
            || matches!(out.last(), Some(Token::Op(op)) if op == ")" || op == "]");
        if c == '\n' || !c.is_whitespace() {
            if c == '#' {
                while i < chars.len() && chars[i] != '\n' {
                    i += 1;
                }
                continue;
            }
            if c == '"' || (c == '/' && !value_before) {
                let mut body = String::new();
                i += 1;
                loop {
                    match chars.get(i) {
                        None => return Err("non-terminated string or regular expression".to_owned()),
                        Some(&end) if end == c => break,
                        Some('\\') if c == '/' && chars.get(i + 1) == Some(&'/') => {
                            body.push('/');
                            i += 1;
                        }
                        Some('\\') => {
                            body.push('\\');
                            body.extend(chars.get(i + 1));
                            i += 1;
                        }
                        Some(&other) => body.push(other),
                    }
                    i += 1;
                }
                i += 1;
                out.push(if c == '"' {
                    Token::Text(crate::expand::ansi_c(&body))
                } else {
                    Token::Regex(body)
                });
                continue;
            }
            if c.is_ascii_digit() || (c == '.' && chars.get(i + 1).is_some_and(char::is_ascii_digit)) {
                let start = i;
                while i < chars.len() && (chars[i].is_ascii_digit() || chars[i] == '.') {
                    i += 1;
                }
                let exponent = matches!(chars.get(i), Some('e' | 'E'));
                let sign = usize::from(exponent && matches!(chars.get(i + 1), Some('+' | '-')));
                if exponent && chars.get(i + 1 + sign).is_some_and(char::is_ascii_digit) {
                    i += 1 + sign;
                    while i < chars.len() && chars[i].is_ascii_digit() {
                        i += 1;
                    }
                }
                let text: String = chars[start..i].iter().collect();
                out.push(Token::Number(text.parse().map_err(|_| format!("syntax error near {text}"))?));
                continue;
            }
            if c.is_alphabetic() || c == '_' {
                let start = i;
                while i < chars.len() && (chars[i].is_alphanumeric() || chars[i] == '_') {
                    i += 1;
                }
                out.push(Token::Name(chars[start..i].iter().collect()));
                continue;
            }
            let two: String = chars[i..(i + 2).min(chars.len())].iter().collect();
            let op = if [
                "&&", "||", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "^=", "**", "++", "--",
                "!~",
            ]
            .contains(&two.as_str())
            {
                two
            } else if "{}()[];,+-*/%^?:<>=!~$\n".contains(c) {
                c.to_string()
            } else {
                return Err(format!("syntax error near {c}"));
            };
            i += op.chars().count();
            out.push(Token::Op(if op == "**" { "^".to_owned() } else { op }));
            continue;
        }
        i += 1;
    }
    out.push(Token::End);
    Ok(out)
}

impl Reader {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn is(&self, op: &str) -> bool {
        matches!(self.peek(), Token::Op(it) if it == op)
    }

    fn word(&self, name: &str) -> bool {
        matches!(self.peek(), Token::Name(it) if it == name)
    }

    fn take(&mut self, op: &str) -> bool {
        let found = self.is(op);
        self.at += usize::from(found);
        found
    }

    fn want(&mut self, op: &str) -> Parsed<()> {
        if self.take(op) { Ok(()) } else { Err(format!("syntax error: expected {op}")) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err("nested too deep".to_owned());
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
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

    fn branch(&mut self) -> Parsed<Vec<Statement>> {
        while self.take("\n") {}
        if self.is("{") { self.block() } else { self.deeper(|reader| Ok(vec![reader.statement()?])) }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        if self.peek() == &Token::End {
            return Err("unexpected end of program".to_owned());
        }
        for (name, make) in [("print", true), ("printf", false)] {
            if self.word(name) {
                self.at += 1;
                let values = self.printed()?;
                return Ok(if make { Statement::Print(values) } else { Statement::Printf(values) });
            }
        }
        if self.word("next") {
            self.at += 1;
            return Ok(Statement::Next);
        }
        if self.word("exit") {
            self.at += 1;
            let status = if self.ends() { None } else { Some(self.expr()?) };
            return Ok(Statement::Exit(status));
        }
        for (name, statement) in [("break", Statement::Break), ("continue", Statement::Continue)] {
            if self.word(name) {
                self.at += 1;
                return Ok(statement);
            }
        }
        if self.word("delete") {
            self.at += 1;
            return match self.primary()? {
                Expr::Item(name, key) => Ok(Statement::Delete(name, Some(*key))),
                Expr::Variable(name) => Ok(Statement::Delete(name, None)),
                _ => Err("syntax error near delete".to_owned()),
            };
        }
        if self.word("while") {
            self.at += 1;
            self.want("(")?;
            let test = self.expr()?;
            self.want(")")?;
            return Ok(Statement::For(None, Some(test), None, self.branch()?));
        }
        if self.word("for") {
            self.at += 1;
            return self.counted();
        }
        if self.word("if") {
            self.at += 1;
            self.want("(")?;
            let test = self.expr()?;
            self.want(")")?;
            let yes = self.branch()?;
            let kept = self.at;
            while self.take(";") || self.take("\n") {}
            let no = if self.word("else") {
                self.at += 1;
                self.branch()?
            } else {
                self.at = kept;
                Vec::new()
            };
            return Ok(Statement::If(test, yes, no));
        }
        Ok(Statement::Do(self.expr()?))
    }

    /// `for (k in a)` and `for (i = 0; i < n; i++)`.
    fn counted(&mut self) -> Parsed<Statement> {
        self.want("(")?;
        if let [Token::Name(variable), Token::Name(word), Token::Name(array), Token::Op(close)] =
            self.tokens.get(self.at..self.at + 4).unwrap_or_default()
            && word == "in"
            && close == ")"
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
        }
        let [first, test, step] = parts;
        Ok(Statement::For(first, test, step, self.branch()?))
    }

    fn ends(&self) -> bool {
        matches!(self.peek(), Token::End) || [";", "}", "\n"].iter().any(|op| self.is(op))
    }

    /// What `print` prints, which may stand in brackets.
    fn printed(&mut self) -> Parsed<Vec<Expr>> {
        let kept = self.at;
        if self.take("(")
            && let Ok(values) = self.list()
            && self.take(")")
            && self.ends()
        {
            return Ok(values);
        }
        self.at = kept;
        self.list()
    }

    fn list(&mut self) -> Parsed<Vec<Expr>> {
        let mut values = Vec::new();
        if self.ends() || self.is(")") {
            return Ok(values);
        }
        loop {
            values.push(self.expr()?);
            if !self.take(",") {
                return Ok(values);
            }
        }
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.deeper(|reader| {
            let left = reader.either()?;
            if reader.take("?") {
                let yes = reader.expr()?;
                reader.want(":")?;
                let no = reader.expr()?;
                return Ok(Expr::Choice(Box::new(left), Box::new(yes), Box::new(no)));
            }
            for op in ["=", "+=", "-=", "*=", "/=", "%=", "^="] {
                if reader.is(op) && matches!(left, Expr::Variable(_) | Expr::Item(..) | Expr::Field(_)) {
                    reader.at += 1;
                    let right = reader.expr()?;
                    return Ok(Expr::Assign(op.to_owned(), Box::new(left), Box::new(right)));
                }
            }
            Ok(left)
        })
    }

    fn level(&mut self, ops: &[&str], below: fn(&mut Self) -> Parsed<Expr>) -> Parsed<Expr> {
        let mut left = below(self)?;
        while let Some(op) = ops.iter().find(|op| self.is(op)) {
            self.at += 1;
            let right = below(self)?;
            left = Expr::Binary((*op).to_owned(), Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn either(&mut self) -> Parsed<Expr> {
        self.level(&["||"], Self::both)
    }

    fn both(&mut self) -> Parsed<Expr> {
        self.level(&["&&"], Self::member)
    }

    fn member(&mut self) -> Parsed<Expr> {
        let key = self.matching()?;
        if !self.word("in") {
            return Ok(key);
        }
        self.at += 1;
        match self.peek().clone() {
            Token::Name(array) => {
                self.at += 1;
                Ok(Expr::In(Box::new(key), array))
            }
            _ => Err("syntax error near in".to_owned()),
        }
    }

    fn matching(&mut self) -> Parsed<Expr> {
        self.level(&["~", "!~"], Self::compared)
    }

    fn compared(&mut self) -> Parsed<Expr> {
        self.level(&["==", "!=", "<=", ">=", "<", ">"], Self::joined)
    }

    /// Values that stand side by side are joined.
    fn joined(&mut self) -> Parsed<Expr> {
        let mut left = self.sum()?;
        loop {
            let begins = match self.peek() {
                Token::Number(_) | Token::Text(_) => true,
                Token::Name(name) => !matches!(name.as_str(), "else" | "in"),
                Token::Op(op) => op == "$" || op == "(",
                Token::Regex(_) | Token::End => false,
            };
            if !begins {
                return Ok(left);
            }
            let right = self.sum()?;
            left = Expr::Binary(" ".to_owned(), Box::new(left), Box::new(right));
        }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        self.level(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Parsed<Expr> {
        self.level(&["*", "/", "%"], Self::unary)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        if self.take("!") {
            return self.deeper(|reader| Ok(Expr::Not(Box::new(reader.unary()?))));
        }
        if self.take("-") {
            return self.deeper(|reader| Ok(Expr::Minus(Box::new(reader.unary()?))));
        }
        if self.take("+") {
            return self.deeper(Self::unary);
        }
        for (op, sign) in [("++", "+="), ("--", "-=")] {
            if self.take(op) {
                let place = self.deeper(Self::primary)?;
                return Ok(Expr::Assign(sign.to_owned(), Box::new(place), Box::new(Expr::Number(1.0))));
            }
        }
        let mut value = self.primary()?;
        for (op, change) in [("++", 1.0), ("--", -1.0)] {
            if self.take(op) {
                value = Expr::After(Box::new(value), change);
            }
        }
        if self.take("^") {
            let power = self.deeper(Self::unary)?;
            return Ok(Expr::Binary("^".to_owned(), Box::new(value), Box::new(power)));
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let token = self.peek().clone();
        self.at += 1;
        match token {
            Token::Number(number) => Ok(Expr::Number(number)),
            Token::Text(text) => Ok(Expr::Text(text)),
            Token::Regex(pattern) => Ok(Expr::Regex(pattern)),
            Token::Op(op) if op == "$" => self.deeper(|reader| Ok(Expr::Field(Box::new(reader.primary()?)))),
            Token::Op(op) if op == "(" => {
                let inner = self.expr()?;
                self.want(")")?;
                Ok(inner)
            }
            Token::Name(name) if FUNCTIONS.contains(&name.as_str()) => {
                if !self.take("(") {
                    return match name.as_str() {
                        "length" => Ok(Expr::Call(name, Vec::new())),
                        _ => Err(format!("syntax error near {name}")),
                    };
                }
                let given = self.deeper(Self::list)?;
                self.want(")")?;
                Ok(Expr::Call(name, given))
            }
            Token::Name(name) if self.is("[") => {
                self.at += 1;
                let mut key = self.expr()?;
                while self.take(",") {
                    // Several keys are one, with a mark between them.
                    let next = self.expr()?;
                    let marked = Expr::Binary(
                        " ".to_owned(),
                        Box::new(key),
                        Box::new(Expr::Text("\u{1c}".to_owned())),
                    );
                    key = Expr::Binary(" ".to_owned(), Box::new(marked), Box::new(next));
                }
                self.want("]")?;
                Ok(Expr::Item(name, Box::new(key)))
            }
            Token::Name(name) if self.is("(") => Err(format!("calling undefined function {name}")),
            Token::Name(name) => Ok(Expr::Variable(name)),
            Token::Op(op) => Err(format!("syntax error near {op}")),
            Token::End => Err("unexpected end of program".to_owned()),
        }
    }
}
