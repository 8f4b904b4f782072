//! From tokens to the tree of a template.

use super::{
    call::FUNCTIONS,
    read::{Token, tokens},
};

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If { test: Pipe, body: Vec<Node>, otherwise: Vec<Node> },
    With { of: Pipe, body: Vec<Node>, otherwise: Vec<Node> },
    Range { of: Pipe, body: Vec<Node>, otherwise: Vec<Node> },
    Break,
    Continue,
}

/// Commands that hand their value on.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    /// Variables that it sets.
    pub names: Vec<String>,
    /// Whether they are there already.
    pub assigns: bool,
    pub commands: Vec<Command>,
}

#[derive(Clone, Debug)]
pub(super) struct Command {
    pub at: usize,
    pub words: Vec<Operand>,
}

impl Command {
    /// As Go writes it.
    pub(super) fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// One word of a command, where messages say it stands and as they write it.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub at: usize,
    pub text: String,
    pub what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Dot,
    Nil,
    Literal(serde_json::Value),
    Function(String),
    /// Fields of what stands at the dot.
    Fields(Vec<String>),
    Variable(String, Vec<String>),
    Pipe(Pipe, Vec<String>),
}

/// Deepest nesting of actions and parentheses.
const DEEPEST: usize = 50;

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// Variables in sight.
    names: Vec<String>,
    ranges: usize,
    depth: usize,
}

/// How a list of nodes ended.
#[derive(PartialEq)]
enum Ended {
    Eof,
    End,
    Else,
}

/// Reads a whole template; the error begins with its line.
pub(super) fn template(text: &str) -> Result<Vec<Node>, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens, next: 0, names: vec!["$".to_owned()], ranges: 0, depth: 0 };
    let (nodes, end) = parser.list()?;
    match end {
        Ended::Eof => Ok(nodes),
        Ended::End => parser.wrong("unexpected {{end}}"),
        Ended::Else => parser.wrong("unexpected {{else}}"),
    }
}

impl Parser<'_> {
    fn wrong<T>(&self, what: &str) -> Result<T, String> {
        let at = self.tokens.get(self.next.saturating_sub(1)).map_or(0, |(at, _)| *at);
        Err(format!("{}: {what}", 1 + self.text[..at].matches('\n').count()))
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at)
    }

    fn blanks(&mut self) {
        while self.peek() == Some(&Token::Space) {
            self.next += 1;
        }
    }

    fn mark(&mut self, mark: &'static str) -> bool {
        let is_there = self.peek() == Some(&Token::Mark(mark));
        self.next += usize::from(is_there);
        is_there
    }

    fn word(&mut self, word: &str) -> bool {
        let is_there = matches!(self.peek(), Some(Token::Word(it)) if it == word);
        self.next += usize::from(is_there);
        is_there
    }

    fn list(&mut self) -> Result<(Vec<Node>, Ended), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.wrong("nested too deep");
        }
        let mut nodes = Vec::new();
        let end = loop {
            match self.peek().cloned() {
                None => break Ended::Eof,
                Some(Token::Text(text)) => {
                    self.next += 1;
                    nodes.push(Node::Text(text));
                }
                Some(_) => {
                    self.next += 1;
                    self.blanks();
                    if self.word("end") {
                        self.close("end")?;
                        break Ended::End;
                    }
                    if self.word("else") {
                        break Ended::Else;
                    }
                    nodes.push(self.action()?);
                }
            }
        };
        self.depth -= 1;
        Ok((nodes, end))
    }

    fn close(&mut self, context: &str) -> Result<(), String> {
        self.blanks();
        if self.peek() == Some(&Token::Close) {
            self.next += 1;
            return Ok(());
        }
        let shown = self.peek().map_or("EOF".to_owned(), shown);
        self.wrong(&format!("unexpected {shown} in {context}"))
    }

    fn action(&mut self) -> Result<Node, String> {
        for word in ["break", "continue"] {
            if self.word(word) {
                if self.ranges == 0 {
                    return self.wrong(&format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                self.close(&format!("{{{{{word}}}}}"))?;
                return Ok(if word == "break" { Node::Break } else { Node::Continue });
            }
        }
        for word in ["if", "with", "range"] {
            if self.word(word) {
                return self.block(word);
            }
        }
        let pipe = self.pipe("command")?;
        self.close("command")?;
        Ok(Node::Action(pipe))
    }

    /// `if`, `with` or `range` with all that belongs to it.
    fn block(&mut self, word: &str) -> Result<Node, String> {
        let seen = self.names.len();
        let pipe = self.pipe(word)?;
        self.close(word)?;
        self.ranges += usize::from(word == "range");
        let (body, end) = self.list()?;
        self.ranges -= usize::from(word == "range");
        let mut otherwise = Vec::new();
        match end {
            Ended::Eof => return self.wrong("unexpected EOF"),
            Ended::End => {}
            Ended::Else => {
                self.blanks();
                if word != "range" && self.word(word) {
                    // `else if` shares the end of the first.
                    otherwise.push(self.block(word)?);
                } else {
                    self.close("else")?;
                    let (nodes, end) = self.list()?;
                    match end {
                        Ended::Eof => return self.wrong("unexpected EOF"),
                        Ended::Else => return self.wrong("expected end; found {{else}}"),
                        Ended::End => otherwise = nodes,
                    }
                }
            }
        }
        self.names.truncate(seen);
        Ok(match word {
            "if" => Node::If { test: pipe, body, otherwise },
            "with" => Node::With { of: pipe, body, otherwise },
            _ => Node::Range { of: pipe, body, otherwise },
        })
    }

    fn pipe(&mut self, context: &str) -> Result<Pipe, String> {
        self.blanks();
        let mut pipe = Pipe { names: Vec::new(), assigns: false, commands: Vec::new() };
        let begin = self.next;
        while let Some(Token::Variable(name)) = self.peek().cloned() {
            self.next += 1;
            self.blanks();
            pipe.names.push(name);
            if self.mark(":=") {
                break;
            }
            if self.mark("=") {
                pipe.assigns = true;
                break;
            }
            if context == "range" && pipe.names.len() == 1 && self.mark(",") {
                self.blanks();
                continue;
            }
            // No declaration after all.
            self.next = begin;
            pipe.names.clear();
            break;
        }
        loop {
            self.blanks();
            match self.peek() {
                None | Some(Token::Close | Token::Mark(")" | "|")) if pipe.commands.is_empty() => {
                    return self.wrong(&format!("missing value for {context}"));
                }
                None | Some(Token::Close | Token::Mark(")")) => break,
                Some(_) => {}
            }
            let command = self.command()?;
            let is_call = matches!(
                command.words[0].what,
                What::Function(_) | What::Fields(_) | What::Variable(..) | What::Pipe(..)
            );
            if !is_call && !pipe.commands.is_empty() {
                let stage = pipe.commands.len() + 1;
                return self.wrong(&format!("non executable command in pipeline stage {stage}"));
            }
            pipe.commands.push(command);
            self.blanks();
            if self.mark("|") {
                self.blanks();
                if matches!(self.peek(), None | Some(Token::Close | Token::Mark(_)))
                    && !matches!(self.peek(), Some(Token::Mark("(")))
                {
                    return self.wrong(&format!("missing value for {context}"));
                }
            }
        }
        // Only from here on may they be read.
        for name in &pipe.names {
            if pipe.assigns && !self.names.contains(name) {
                return self.wrong(&format!("undefined variable {name:?}"));
            }
            self.names.push(name.clone());
        }
        Ok(pipe)
    }

    fn command(&mut self) -> Result<Command, String> {
        let at = self.place();
        let mut words = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                None | Some(Token::Close | Token::Mark(")" | "|")) => break,
                Some(_) => words.push(self.operand()?),
            }
            if !matches!(self.peek(), None | Some(Token::Space | Token::Close | Token::Mark(")" | "|"))) {
                let shown = self.peek().map(shown).unwrap_or_default();
                return self.wrong(&format!("unexpected {shown} in operand"));
            }
        }
        if words.is_empty() {
            return self.wrong("empty command");
        }
        Ok(Command { at, words })
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let at = self.place();
        let token = self.peek().cloned();
        self.next += 1;
        let (text, what) = match token {
            Some(Token::Dot) => (".".to_owned(), What::Dot),
            Some(Token::Field(name)) => (format!(".{name}"), What::Fields(vec![name])),
            Some(Token::Variable(name)) => {
                if !self.names.contains(&name) {
                    return self.wrong(&format!("undefined variable {name:?}"));
                }
                (name.clone(), What::Variable(name, Vec::new()))
            }
            Some(Token::Quoted(body, typed)) => (typed, What::Literal(body.into())),
            Some(Token::Number(typed)) => {
                let number = typed.parse::<i64>().map(serde_json::Value::from);
                let float = || typed.parse::<f64>().map(serde_json::Value::from).unwrap_or_default();
                (typed.clone(), What::Literal(number.unwrap_or_else(|_| float())))
            }
            Some(Token::Word(word)) => match word.as_str() {
                "nil" => (word, What::Nil),
                "true" | "false" => (word.clone(), What::Literal((word == "true").into())),
                _ if FUNCTIONS.contains(&word.as_str()) => (word.clone(), What::Function(word)),
                _ => return self.wrong(&format!("function {word:?} not defined")),
            },
            Some(Token::Mark("(")) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return self.wrong("nested too deep");
                }
                let pipe = self.pipe("parenthesized pipeline")?;
                self.depth -= 1;
                self.blanks();
                if !self.mark(")") {
                    return self.wrong("unclosed left paren");
                }
                let end = self.tokens.get(self.next - 1).map_or(at, |(end, _)| *end);
                (self.text[at..=end].to_owned(), What::Pipe(pipe, Vec::new()))
            }
            other => {
                let shown = other.as_ref().map_or("EOF".to_owned(), shown);
                return self.wrong(&format!("unexpected {shown} in operand"));
            }
        };
        let mut operand = Operand { at, text, what };
        let mut further = false;
        while let Some(Token::Field(name)) = self.peek().cloned() {
            // UPSTREAM: a chain stands where its second link does.
            if !further {
                operand.at = self.place();
            }
            further = true;
            self.next += 1;
            operand.text.push_str(&format!(".{name}"));
            match &mut operand.what {
                What::Fields(fields) | What::Variable(_, fields) | What::Pipe(_, fields) => fields.push(name),
                What::Dot | What::Nil | What::Literal(_) | What::Function(_) => {
                    return self.wrong(&format!("unexpected . after term {:?}", operand.text));
                }
            }
        }
        Ok(operand)
    }
}

/// A token as messages show it.
fn shown(token: &Token) -> String {
    let text = match token {
        Token::Text(text) | Token::Word(text) | Token::Number(text) | Token::Variable(text) => text.clone(),
        Token::Quoted(_, typed) => typed.clone(),
        Token::Field(name) => format!(".{name}"),
        Token::Open => "{{".to_owned(),
        Token::Close => "}}".to_owned(),
        Token::Dot => ".".to_owned(),
        Token::Space => " ".to_owned(),
        Token::Mark(mark) => (*mark).to_owned(),
    };
    if matches!(token, Token::Word(word) if matches!(word.as_str(), "end" | "else" | "if" | "range" | "with" | "nil"))
    {
        return format!("<{text}>");
    }
    format!("{text:?}")
}
