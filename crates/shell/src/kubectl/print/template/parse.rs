//! From tokens to the tree of a template.

use std::collections::BTreeMap;

use super::{
    call::FUNCTIONS,
    read::{Token, tokens},
};

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If {
        test: Pipe,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    With {
        of: Pipe,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Range {
        of: Pipe,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Break,
    Continue,
    /// What a definition holds, printed for a value.
    Template {
        at: usize,
        name: String,
        of: Option<Pipe>,
    },
}

/// A template and what it defines.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    pub defined: BTreeMap<String, Vec<Node>>,
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

impl Pipe {
    /// As Go writes it.
    pub(super) fn text(&self) -> String {
        let commands = self.commands.iter().map(Command::text).collect::<Vec<_>>().join(" | ");
        match self.names.as_slice() {
            [] => commands,
            names => format!("{} {} {commands}", names.join(", "), if self.assigns { "=" } else { ":=" }),
        }
    }
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
    /// The furthest token looked at: messages name its line.
    furthest: usize,
    /// The line on which the action being read began.
    action: Option<usize>,
    /// Variables in sight.
    names: Vec<String>,
    ranges: usize,
    depth: usize,
    defined: BTreeMap<String, Vec<Node>>,
}

/// How a list of nodes ended.
#[derive(PartialEq)]
enum Ended {
    Eof,
    End,
    Else,
}

/// Where a pipeline ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Action,
    Paren,
}

const KEYWORDS: [&str; 11] =
    ["block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with"];

/// Reads a whole template; the error begins with its line.
pub(super) fn template(text: &str) -> Result<Tree, String> {
    let mut parser = Parser {
        text,
        tokens: tokens(text),
        next: 0,
        furthest: 0,
        action: None,
        names: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
        defined: BTreeMap::new(),
    };
    let (nodes, end) = parser.list()?;
    match end {
        Ended::Eof => Ok(Tree { nodes, defined: parser.defined }),
        Ended::End => parser.wrong("unexpected {{end}}"),
        Ended::Else => parser.wrong("unexpected {{else}}"),
    }
}

impl Parser<'_> {
    fn line(&self, token: usize) -> usize {
        let at = self.tokens.get(token).map_or(self.text.len(), |(at, _)| *at);
        1 + self.text[..at].matches('\n').count()
    }

    fn wrong<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("{}: {what}", self.line(self.furthest)))
    }

    /// Complains of the token before the next.
    fn unexpected<T>(&self, context: &str) -> Result<T, String> {
        let at = self.next - 1;
        match self.tokens.get(at) {
            None => self.wrong(&format!("unexpected EOF in {context}")),
            Some((_, Token::Wrong(what))) => match self.action.filter(|action| *action != self.line(at)) {
                None => self.wrong(what),
                Some(line) => {
                    let twice = if what.ends_with(" action") { "" } else { " in action" };
                    self.wrong(&format!("{what}{twice} started at output:{line}"))
                }
            },
            Some((_, token)) => self.wrong(&format!("unexpected {} in {context}", shown(token))),
        }
    }

    fn peek(&mut self) -> Option<&Token> {
        self.furthest = self.furthest.max(self.next);
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
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
            match self.take() {
                None => break Ended::Eof,
                Some(Token::Text(text)) => nodes.push(Node::Text(text)),
                Some(Token::Open) => {
                    self.action = Some(self.line(self.next - 1));
                    self.blanks();
                    if self.word("end") {
                        self.close("end")?;
                        break Ended::End;
                    }
                    if self.word("else") {
                        break Ended::Else;
                    }
                    // Only the template itself defines others.
                    if self.depth == 1 && self.word("define") {
                        self.definition()?;
                    } else {
                        nodes.push(self.node()?);
                    }
                    self.action = None;
                }
                Some(_) => return self.unexpected("input"),
            }
        };
        self.action = None;
        self.depth -= 1;
        Ok((nodes, end))
    }

    fn close(&mut self, context: &str) -> Result<(), String> {
        self.blanks();
        match self.take() {
            Some(Token::Close) => Ok(()),
            _ => self.unexpected(context),
        }
    }

    fn node(&mut self) -> Result<Node, String> {
        for word in ["break", "continue"] {
            if self.word(word) {
                self.close(&format!("{{{{{word}}}}}"))?;
                if self.ranges == 0 {
                    return self.wrong(&format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                return Ok(if word == "break" { Node::Break } else { Node::Continue });
            }
        }
        for word in ["if", "with", "range"] {
            if self.word(word) {
                return self.block(word);
            }
        }
        if self.word("template") {
            let (at, name) = self.name("template clause")?;
            self.blanks();
            if self.peek() == Some(&Token::Close) {
                self.next += 1;
                return Ok(Node::Template { at, name, of: None });
            }
            let of = Some(self.pipe("template clause", End::Action)?);
            return Ok(Node::Template { at, name, of });
        }
        if self.word("block") {
            let (at, name) = self.name("block clause")?;
            let of = Some(self.pipe("block clause", End::Action)?);
            self.define(&name, "block clause")?;
            return Ok(Node::Template { at, name, of });
        }
        Ok(Node::Action(self.pipe("command", End::Action)?))
    }

    /// The name of a template, and where it stands.
    fn name(&mut self, context: &str) -> Result<(usize, String), String> {
        self.blanks();
        let at = self.place();
        match self.take() {
            Some(Token::Quoted(name, _)) => Ok((at, name)),
            _ => self.unexpected(context),
        }
    }

    fn definition(&mut self) -> Result<(), String> {
        let (_, name) = self.name("define clause")?;
        self.close("define clause")?;
        self.define(&name, "define clause")
    }

    /// What stands up to the end is a template of its own, which sees no variables of the one around it.
    fn define(&mut self, name: &str, context: &str) -> Result<(), String> {
        let names = std::mem::replace(&mut self.names, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, end) = self.list()?;
        (self.names, self.ranges) = (names, ranges);
        match end {
            Ended::End => {}
            Ended::Else => return self.wrong(&format!("unexpected {{{{else}}}} in {context}")),
            Ended::Eof => return self.wrong("unexpected EOF"),
        }
        // Of two only one may hold anything but blanks.
        let is_empty = |nodes: &[Node]| {
            nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
        };
        match self.defined.get(name) {
            Some(had) if !is_empty(had) && is_empty(&nodes) => {}
            Some(had) if !is_empty(had) => {
                return self.wrong(&format!("template: multiple definition of template {name:?}"));
            }
            Some(_) | None => {
                self.defined.insert(name.to_owned(), nodes);
            }
        }
        Ok(())
    }

    /// `if`, `with` or `range` with all that belongs to it.
    fn block(&mut self, word: &str) -> Result<Node, String> {
        let seen = self.names.len();
        let pipe = self.pipe(word, End::Action)?;
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
                    let is_other = matches!(self.peek(), Some(Token::Word(it)) if it == "if" || it == "with");
                    if is_other {
                        self.next += 1;
                        return self.unexpected("input");
                    }
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

    /// Reads a pipeline and what ends it.
    fn pipe(&mut self, context: &str, end: End) -> Result<Pipe, String> {
        let mut pipe = Pipe { names: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(context, &mut pipe)?;
        loop {
            self.blanks();
            match self.peek() {
                Some(Token::Close) if end == End::Action => break,
                Some(Token::Mark(")")) if end == End::Paren => break,
                Some(token) if begins_operand(token) => {
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => {
                    self.next += 1;
                    return self.unexpected(context);
                }
            }
        }
        self.next += 1;
        if pipe.commands.is_empty() {
            return self.wrong(&format!("missing value for {context}"));
        }
        let is_plain =
            |command: &Command| matches!(command.words[0].what, What::Literal(_) | What::Dot | What::Nil);
        if let Some(stage) = pipe.commands.iter().skip(1).position(is_plain) {
            return self.wrong(&format!("non executable command in pipeline stage {}", stage + 2));
        }
        Ok(pipe)
    }

    /// The variables that a pipeline sets.
    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Result<(), String> {
        loop {
            self.blanks();
            let begin = self.next;
            let Some(Token::Variable(name)) = self.peek().cloned() else { return Ok(()) };
            self.next += 1;
            self.blanks();
            let assigns = self.peek() == Some(&Token::Mark("="));
            if assigns || self.peek() == Some(&Token::Mark(":=")) {
                self.next += 1;
                pipe.assigns = assigns;
                pipe.names.push(name.clone());
                self.names.push(name);
                return Ok(());
            }
            if !self.mark(",") {
                // No declaration after all.
                self.next = begin;
                return Ok(());
            }
            pipe.names.push(name.clone());
            self.names.push(name);
            if context != "range" || pipe.names.len() > 1 {
                return self.wrong(&format!("too many declarations in {context}"));
            }
            self.blanks();
            if !matches!(self.peek(), Some(Token::Variable(_) | Token::Close | Token::Mark(")"))) {
                return self.wrong("range can only initialize variables");
            }
        }
    }

    /// Reads a command, and the bar after it if there is one.
    fn command(&mut self) -> Result<Command, String> {
        let at = self.place();
        let mut words = Vec::new();
        loop {
            self.blanks();
            if self.peek().is_some_and(begins_operand) {
                words.push(self.operand()?);
            }
            match self.take() {
                Some(Token::Space) => {}
                Some(Token::Close | Token::Mark(")")) => {
                    self.next -= 1;
                    break;
                }
                Some(Token::Mark("|")) => break,
                _ => return self.unexpected("operand"),
            }
        }
        Ok(Command { at, words })
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let at = self.place();
        let (text, what) = match self.take() {
            Some(Token::Dot) => (".".to_owned(), What::Dot),
            Some(Token::Field(name)) => (format!(".{name}"), What::Fields(vec![name])),
            Some(Token::Variable(name)) => {
                if !self.names.contains(&name) {
                    return self.wrong(&format!("undefined variable {name:?}"));
                }
                (name.clone(), What::Variable(name, Vec::new()))
            }
            Some(Token::Quoted(body, typed)) => (typed, What::Literal(body.into())),
            Some(Token::Number(value, typed)) => (typed, What::Literal(value)),
            Some(Token::Misspelt(why, _)) => return self.wrong(&why),
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
                let pipe = self.pipe("parenthesized pipeline", End::Paren)?;
                self.depth -= 1;
                let end = self.tokens.get(self.next - 1).map_or(at, |(end, _)| *end);
                (self.text[at..=end].to_owned(), What::Pipe(pipe, Vec::new()))
            }
            _ => return self.unexpected("operand"),
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
            match &mut operand.what {
                What::Fields(fields) | What::Variable(_, fields) | What::Pipe(_, fields) => {
                    operand.text.push_str(&format!(".{name}"));
                    fields.push(name);
                }
                What::Dot | What::Nil | What::Literal(_) => {
                    while matches!(self.peek(), Some(Token::Field(_))) {
                        self.next += 1;
                    }
                    return self.wrong(&format!("unexpected . after term {:?}", operand.text));
                }
                // MODEL: a function's value has no fields here.
                What::Function(_) => {
                    return self.wrong(&format!("unexpected . after term {:?}", operand.text));
                }
            }
        }
        Ok(operand)
    }
}

fn begins_operand(token: &Token) -> bool {
    match token {
        Token::Field(_)
        | Token::Variable(_)
        | Token::Dot
        | Token::Quoted(..)
        | Token::Number(..)
        | Token::Misspelt(..)
        | Token::Mark("(") => true,
        Token::Word(word) => word == "nil" || !KEYWORDS.contains(&word.as_str()),
        Token::Text(_)
        | Token::Open
        | Token::Close
        | Token::Space
        | Token::Mark(_)
        | Token::Char(_)
        | Token::Wrong(_) => false,
    }
}

/// A token as messages show it.
fn shown(token: &Token) -> String {
    let text = match token {
        Token::Word(word) if KEYWORDS.contains(&word.as_str()) => return format!("<{word}>"),
        Token::Dot => return "<.>".to_owned(),
        Token::Text(text) | Token::Word(text) | Token::Variable(text) | Token::Wrong(text) => text.clone(),
        Token::Quoted(_, typed) | Token::Number(_, typed) | Token::Misspelt(_, typed) => typed.clone(),
        Token::Field(name) => format!(".{name}"),
        Token::Open => "{{".to_owned(),
        Token::Close => "}}".to_owned(),
        Token::Space => " ".to_owned(),
        Token::Mark(mark) => (*mark).to_owned(),
        Token::Char(c) => c.to_string(),
    };
    if text.len() > 10 {
        let beginning: String = text.chars().take(10).collect();
        return format!("{beginning:?}...");
    }
    format!("{text:?}")
}
