//! What an awk program consists of.

use std::collections::BTreeMap;

/// A whole program.
#[derive(Default)]
pub(super) struct Program {
    pub begin: Vec<Vec<Statement>>,
    pub rules: Vec<Rule>,
    pub end: Vec<Vec<Statement>>,
    pub functions: BTreeMap<String, Function>,
}

/// A pattern with its action.
pub(super) struct Rule {
    pub when: When,
    pub body: Vec<Statement>,
}

/// When a rule applies.
pub(super) enum When {
    Always,
    If(Expr),
    /// From a record for which the first holds to one for which the second does.
    Range(Expr, Expr),
}

/// A function of the program's own.
pub(super) struct Function {
    pub parameters: Vec<String>,
    pub body: Vec<Statement>,
}

/// Where `print` and `printf` write.
pub(super) enum Onto {
    File(Expr),
    Append(Expr),
    Command(Expr),
}

/// One statement.
pub(super) enum Statement {
    Print(Vec<Expr>, Option<Onto>),
    Printf(Vec<Expr>, Option<Onto>),
    Do(Expr),
    If(Expr, Vec<Statement>, Vec<Statement>),
    /// First what begins, then what goes on while its test holds, and what follows each round.
    For(Option<Expr>, Option<Expr>, Option<Expr>, Vec<Statement>),
    /// A body that runs once before its test is looked at.
    DoWhile(Vec<Statement>, Expr),
    /// A variable, an array, and what is done with each key.
    ForIn(String, String, Vec<Statement>),
    Delete(String, Option<Expr>),
    Break,
    Continue,
    Next,
    NextFile,
    Exit(Option<Expr>),
    Return(Option<Expr>),
}

/// Where `getline` reads.
pub(super) enum From {
    Input,
    File(Box<Expr>),
    Command(Box<Expr>),
}

/// Two values become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    And,
    Or,
    Matches,
    MatchesNot,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Join,
    Plus,
    Minus,
    Times,
    Divided,
    Modulo,
    Power,
}

/// One expression.
pub(super) enum Expr {
    Number(f64),
    Text(String),
    Regex(String),
    Field(Box<Expr>),
    Variable(String),
    Item(String, Box<Expr>),
    /// A function that awk has.
    Call(&'static str, Vec<Expr>),
    /// A function of the program's own.
    Own(String, Vec<Expr>),
    /// Whether an array has a key.
    In(Box<Expr>, String),
    /// Several keys as one.
    Keys(Vec<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `x++`: the place, and what is added after its value was taken.
    After(Box<Expr>, f64),
    /// `++x`.
    Before(Box<Expr>, f64),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Plus(Box<Expr>),
    Assign(Option<Op>, Box<Expr>, Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    Group(Box<Expr>),
    Getline(From, Option<Box<Expr>>),
}
