//! What happens when an awk program runs?
//!
//! INVARIANT: no program runs for ever: the rounds of its loops, its calls and what it prints are bounded.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    input::Reader,
    lex::unescaped,
    tree::{Expr, Op, Program, Statement, When},
    value::{Value, shown},
};
use crate::{
    eval::Flow,
    text::pattern::{Flavour, regex, translated},
    tool::Call,
};

/// Most rounds of all loops, calls and reads of one program.
const MOST_ROUNDS: u32 = 200_000;
/// How deep functions call each other.
const MOST_CALLS: usize = 50;
/// Most fields of a record.
const MOST_FIELDS: usize = 10_000;
/// Longest output of one program, and longest text of one value, in bytes.
pub(super) const MOST_BYTES: usize = 4 << 20;

/// Why a statement does not go on to the next.
pub(super) enum Stop {
    Next,
    NextFile,
    Exit,
    Break,
    Continue,
    Return(Value),
    /// What is wrong has been said.
    Fatal,
    Flow(Flow),
}

pub(super) type Done<T> = Result<T, Stop>;

/// What stands behind a name.
pub(super) enum Cell {
    /// Nothing yet; with the array it becomes where it is used as one, if a call has handed it on.
    Unset(Option<usize>),
    Value(Value),
    Array(usize),
}

/// A program at work.
pub(super) struct Awk<'a, 'c, 's> {
    pub call: &'a mut Call<'c, 's>,
    program: &'a Program,
    source: &'a str,
    globals: BTreeMap<String, Cell>,
    frames: Vec<BTreeMap<String, Cell>>,
    pub arrays: Vec<BTreeMap<Rc<str>, Value>>,
    pub record: Rc<str>,
    pub fields: Vec<Value>,
    regexes: BTreeMap<String, Rc<regex::Regex>>,
    /// Whether the range of each rule is open.
    open: Vec<bool>,
    rounds: u32,
    pub printed: usize,
    status: i32,
    /// Which argument is read next, and whether one was a file.
    pub argument: usize,
    pub had_file: bool,
    pub reading: Option<Reader>,
    /// Files and commands that `getline` reads.
    pub sources: BTreeMap<String, Reader>,
    /// Commands that `print` feeds, in the order in which they began.
    pub pipes: Vec<(String, String)>,
    pub written: BTreeSet<String>,
    pub seed: f64,
    pub drawn: u64,
}

impl<'a, 'c, 's> Awk<'a, 'c, 's> {
    pub(super) fn new(call: &'a mut Call<'c, 's>, program: &'a Program, source: &'a str) -> Self {
        let mut awk = Self {
            call,
            program,
            source,
            globals: BTreeMap::new(),
            frames: Vec::new(),
            arrays: Vec::new(),
            record: "".into(),
            fields: Vec::new(),
            regexes: BTreeMap::new(),
            open: vec![false; program.rules.len()],
            rounds: 0,
            printed: 0,
            status: 0,
            argument: 1,
            had_file: false,
            reading: None,
            sources: BTreeMap::new(),
            pipes: Vec::new(),
            written: BTreeSet::new(),
            seed: 0.0,
            drawn: 0,
        };
        for (name, value) in [
            ("FS", " "),
            ("OFS", " "),
            ("RS", "\n"),
            ("ORS", "\n"),
            ("SUBSEP", "\u{1c}"),
            ("OFMT", "%.6g"),
            ("CONVFMT", "%.6g"),
            ("FILENAME", ""),
        ] {
            awk.set_text(name, value);
        }
        for name in ["NR", "FNR", "NF", "RSTART"] {
            awk.globals.insert(name.to_owned(), Cell::Value(Value::Number(0.0)));
        }
        awk.globals.insert("RLENGTH".to_owned(), Cell::Value(Value::Number(-1.0)));
        let exported = awk.call.shell.machine.variables.iter().filter(|(_, it)| it.exported);
        let environment =
            exported.map(|(name, it)| (Rc::from(name.as_str()), Value::input(&it.value))).collect();
        awk.arrays.push(environment);
        awk.globals.insert("ENVIRON".to_owned(), Cell::Array(0));
        awk
    }

    /// Runs all of it; the exit status.
    pub(super) fn all_of_it(&mut self) -> Done<i32> {
        let program = self.program;
        let mut ended = self.each(&program.begin);
        if ended.is_ok() && !(program.rules.is_empty() && program.end.is_empty()) {
            ended = self.records();
        }
        // `exit` still runs what is to be done at the end, unless it stands there.
        if matches!(ended, Ok(()) | Err(Stop::Exit)) {
            ended = self.each(&program.end);
        }
        self.close_all()?;
        match ended {
            Ok(()) | Err(Stop::Exit) => Ok(self.status),
            Err(Stop::Flow(flow)) => Err(Stop::Flow(flow)),
            Err(_) => Ok(2),
        }
    }

    fn each(&mut self, bodies: &'a [Vec<Statement>]) -> Done<()> {
        bodies.iter().try_for_each(|body| self.all(body))
    }

    fn records(&mut self) -> Done<()> {
        let program = self.program;
        while let Some(record) = self.next_record()? {
            self.set_record(&record);
            for (at, rule) in program.rules.iter().enumerate() {
                if !self.applies(at, &rule.when)? {
                    continue;
                }
                match self.all(&rule.body) {
                    Ok(()) => {}
                    Err(Stop::Next) => break,
                    Err(Stop::NextFile) => {
                        self.reading = None;
                        break;
                    }
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(())
    }

    fn applies(&mut self, at: usize, when: &'a When) -> Done<bool> {
        match when {
            When::Always => Ok(true),
            When::If(test) => self.truth(test),
            When::Range(first, last) => {
                if !self.open[at] && !self.truth(first)? {
                    return Ok(false);
                }
                self.open[at] = !self.truth(last)?;
                Ok(true)
            }
        }
    }

    /// Says something as `awk: cmd. line:1: …`.
    pub(super) fn say(&mut self, what: &str) {
        self.call.out.err(&format!("awk: {what}"));
    }

    /// Says why the program ends.
    pub(super) fn fatal<T>(&mut self, what: &str) -> Done<T> {
        let name = if self.source.is_empty() { "cmd. line" } else { self.source };
        let record = match (self.get("FNR").number(), self.get("FILENAME").shown("%.6g")) {
            (0.0, _) => String::new(),
            (number, file) => {
                let file = if file.is_empty() { "-" } else { &file };
                format!("(FILENAME={file} FNR={number}) ")
            }
        };
        self.call.out.err(&format!("awk: {name}:1: {record}fatal: {what}"));
        Err(Stop::Fatal)
    }

    /// One more round, unless there were too many.
    pub(super) fn round(&mut self) -> Done<()> {
        self.rounds += 1;
        if self.rounds > MOST_ROUNDS {
            return Err(Stop::Flow(Flow::Stopped(format!("{MOST_ROUNDS} rounds of awk's loops"))));
        }
        if self.printed > MOST_BYTES {
            return Err(Stop::Flow(Flow::Stopped(format!("{} MB of awk's output", MOST_BYTES >> 20))));
        }
        Ok(())
    }

    fn cell(&mut self, name: &str) -> &mut Cell {
        if self.frames.last().is_some_and(|frame| frame.contains_key(name)) {
            let frame = self.frames.last_mut().expect("just seen");
            return frame.get_mut(name).expect("just seen");
        }
        if !self.globals.contains_key(name) {
            self.globals.insert(name.to_owned(), Cell::Unset(None));
        }
        self.globals.get_mut(name).expect("just put")
    }

    /// The array behind a name, which becomes one if it is nothing yet.
    pub(super) fn array(&mut self, name: &str) -> Done<usize> {
        let next = self.arrays.len();
        let cell = self.cell(name);
        match cell {
            Cell::Array(id) => Ok(*id),
            Cell::Unset(known) => {
                let id = known.unwrap_or(next);
                *cell = Cell::Array(id);
                if id == next {
                    self.arrays.push(BTreeMap::new());
                }
                Ok(id)
            }
            Cell::Value(_) => self.fatal(&format!("attempt to use scalar `{name}' as an array")),
        }
    }

    /// Whether an array stands behind a name.
    pub(super) fn is_array(&mut self, name: &str) -> bool {
        match self.cell(name) {
            Cell::Array(_) => true,
            Cell::Unset(Some(id)) => {
                let id = *id;
                !self.arrays[id].is_empty()
            }
            Cell::Unset(None) | Cell::Value(_) => false,
        }
    }

    pub(super) fn get(&mut self, name: &str) -> Value {
        match self.cell(name) {
            Cell::Value(value) => value.clone(),
            Cell::Unset(_) | Cell::Array(_) => Value::Unset,
        }
    }

    /// A variable's text.
    pub(super) fn text_of(&mut self, name: &str) -> Rc<str> {
        self.get(name).shown("%.6g")
    }

    pub(super) fn set(&mut self, name: &str, value: Value) -> Done<()> {
        if value.shown("%.6g").len() > MOST_BYTES {
            return Err(Stop::Flow(Flow::Stopped(format!("a text of {} MB", MOST_BYTES >> 20))));
        }
        if name == "NF" {
            self.set_count(value.number());
        }
        let cell = self.cell(name);
        if matches!(cell, Cell::Array(_)) {
            return self.fatal(&format!("attempt to use array `{name}' in a scalar context"));
        }
        *cell = Cell::Value(value);
        Ok(())
    }

    pub(super) fn set_text(&mut self, name: &str, text: &str) {
        self.globals.insert(name.to_owned(), Cell::Value(Value::text(text)));
    }

    /// `-v name=value` and `name=value` among the files.
    pub(super) fn set_input(&mut self, name: &str, text: &str) {
        self.globals.insert(name.to_owned(), Cell::Value(Value::input(text)));
    }

    pub(super) fn set_number(&mut self, name: &str, number: f64) {
        self.globals.insert(name.to_owned(), Cell::Value(Value::Number(number)));
    }

    /// Makes a text the record, and cuts it into fields.
    pub(super) fn set_record(&mut self, text: &str) {
        let separator = self.text_of("FS");
        let by_lines = self.text_of("RS").is_empty();
        self.fields = self.cut(text, &separator, by_lines).iter().map(|field| Value::input(field)).collect();
        self.set_number("NF", self.fields.len() as f64);
        self.record = text.into();
    }

    fn set_count(&mut self, count: f64) {
        self.fields.resize((count.max(0.0) as usize).min(MOST_FIELDS), Value::Unset);
        self.join_fields();
    }

    fn join_fields(&mut self) {
        let separator = self.text_of("OFS");
        let fields: Vec<Rc<str>> = self.fields.iter().map(|field| field.shown("%.6g")).collect();
        self.record = fields.join(&separator).into();
    }

    /// A compiled expression.
    pub(super) fn regex(&mut self, pattern: &str) -> Done<Rc<regex::Regex>> {
        if let Some(known) = self.regexes.get(pattern) {
            return Ok(known.clone());
        }
        let read = translated(pattern, Flavour::Awk);
        match read.and_then(|it| regex(&it).map_err(|_| "Invalid regular expression")) {
            Ok(compiled) => {
                let compiled = Rc::new(compiled);
                self.regexes.insert(pattern.to_owned(), compiled.clone());
                Ok(compiled)
            }
            Err(what) => self.fatal(&format!("invalid regexp: {what}: /{pattern}/")),
        }
    }

    pub(super) fn all(&mut self, body: &'a [Statement]) -> Done<()> {
        body.iter().try_for_each(|statement| self.statement(statement))
    }

    fn turn(&mut self, body: &'a [Statement]) -> Done<bool> {
        self.round()?;
        match self.all(body) {
            Ok(()) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn statement(&mut self, statement: &'a Statement) -> Done<()> {
        match statement {
            Statement::Print(values, onto) => {
                let mut line = String::new();
                if values.is_empty() {
                    line.push_str(&self.record);
                } else {
                    let (separator, format) = (self.text_of("OFS"), self.text_of("OFMT"));
                    for (i, value) in values.iter().enumerate() {
                        if i > 0 {
                            line.push_str(&separator);
                        }
                        line.push_str(&self.value(value)?.shown(&format));
                    }
                }
                line.push_str(&self.text_of("ORS"));
                self.put(&line, onto.as_ref())?;
            }
            Statement::Printf(values, onto) => {
                let text = self.formatted(values)?;
                self.put(&text, onto.as_ref())?;
            }
            Statement::Do(expr) => drop(self.value(expr)?),
            Statement::If(test, yes, no) => {
                let branch = if self.truth(test)? { yes } else { no };
                self.all(branch)?;
            }
            Statement::For(first, test, step, body) => {
                if let Some(first) = first {
                    self.value(first)?;
                }
                loop {
                    if let Some(test) = test
                        && !self.truth(test)?
                    {
                        break;
                    }
                    if !self.turn(body)? {
                        break;
                    }
                    if let Some(step) = step {
                        self.value(step)?;
                    }
                }
            }
            Statement::DoWhile(body, test) => while self.turn(body)? && self.truth(test)? {},
            Statement::ForIn(variable, array, body) => {
                for key in self.keys(array)? {
                    self.set(variable, Value::input(&key))?;
                    if !self.turn(body)? {
                        break;
                    }
                }
            }
            Statement::Delete(array, key) => {
                let id = self.array(array)?;
                match key {
                    Some(key) => {
                        let key = self.key(key)?;
                        self.arrays[id].remove(&key);
                    }
                    None => self.arrays[id].clear(),
                }
            }
            Statement::Break => return Err(Stop::Break),
            Statement::Continue => return Err(Stop::Continue),
            Statement::Next => return Err(Stop::Next),
            Statement::NextFile => return Err(Stop::NextFile),
            Statement::Exit(status) => {
                if let Some(status) = status {
                    self.status = self.value(status)?.number() as i32 & 255;
                }
                return Err(Stop::Exit);
            }
            Statement::Return(value) => {
                let value = value.as_ref().map(|it| self.value(it)).transpose()?;
                return Err(Stop::Return(value.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// The keys of an array: numbers in their order, then words in theirs.
    pub(super) fn keys(&mut self, array: &str) -> Done<Vec<Rc<str>>> {
        let id = self.array(array)?;
        let mut keys: Vec<(Option<i64>, Rc<str>)> =
            self.arrays[id].keys().map(|key| (key.parse().ok(), key.clone())).collect();
        keys.sort_by(|(a, x), (b, y)| a.is_none().cmp(&b.is_none()).then(a.cmp(b)).then(x.cmp(y)));
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    }

    pub(super) fn truth(&mut self, expr: &'a Expr) -> Done<bool> {
        match expr {
            Expr::Regex(pattern) => Ok(self.regex(pattern)?.is_match(&self.record)),
            other => Ok(self.value(other)?.truth()),
        }
    }

    /// A text of an expression.
    pub(super) fn text(&mut self, expr: &'a Expr) -> Done<Rc<str>> {
        let value = self.value(expr)?;
        Ok(value.shown(&self.text_of("CONVFMT")))
    }

    /// The key that an expression is in an array.
    pub(super) fn key(&mut self, expr: &'a Expr) -> Done<Rc<str>> {
        self.text(expr)
    }

    /// An expression to match with: as it stands, or what a text says.
    pub(super) fn pattern(&mut self, expr: &'a Expr) -> Done<Rc<regex::Regex>> {
        match expr {
            Expr::Regex(pattern) => self.regex(pattern),
            other => {
                let text = self.text(other)?;
                self.regex(&text)
            }
        }
    }

    pub(super) fn value(&mut self, expr: &'a Expr) -> Done<Value> {
        Ok(match expr {
            Expr::Number(number) => Value::Number(*number),
            Expr::Text(text) => Value::text(text),
            Expr::Regex(_) => Value::flag(self.truth(expr)?),
            Expr::Group(inner) => self.value(inner)?,
            Expr::Field(inner) => {
                let at = self.value(inner)?.number();
                match at {
                    at if at < 0.0 => return self.fatal(&format!("attempt to access field {}", at as i64)),
                    at if at < 1.0 => Value::input(&self.record),
                    at => self.fields.get(at as usize - 1).cloned().unwrap_or_default(),
                }
            }
            Expr::Variable(name) => match self.cell(name) {
                Cell::Value(value) => value.clone(),
                Cell::Unset(_) => Value::Unset,
                Cell::Array(_) => {
                    return self.fatal(&format!("attempt to use array `{name}' in a scalar context"));
                }
            },
            Expr::Item(name, key) => {
                let key = self.key(key)?;
                let id = self.array(name)?;
                self.arrays[id].entry(key).or_default().clone()
            }
            Expr::Call(name, given) => self.builtin(name, given)?,
            Expr::Own(name, given) => self.own(name, given)?,
            Expr::In(key, array) => {
                let key = self.key(key)?;
                let id = self.array(array)?;
                Value::flag(self.arrays[id].contains_key(&key))
            }
            Expr::Keys(keys) => {
                let mark = self.text_of("SUBSEP");
                let keys = keys.iter().map(|key| self.text(key)).collect::<Done<Vec<_>>>()?;
                Value::text(&keys.join(&mark))
            }
            Expr::Choice(test, yes, no) => {
                let branch = if self.truth(test)? { yes } else { no };
                self.value(branch)?
            }
            Expr::After(place, change) => {
                let before = self.value(place)?.number();
                self.assign(place, Value::Number(before + change))?;
                Value::Number(before)
            }
            Expr::Before(place, change) => {
                let after = Value::Number(self.value(place)?.number() + change);
                self.assign(place, after.clone())?;
                after
            }
            Expr::Not(inner) => Value::flag(!self.truth(inner)?),
            Expr::Minus(inner) => Value::Number(-self.value(inner)?.number()),
            Expr::Plus(inner) => Value::Number(self.value(inner)?.number()),
            Expr::Assign(op, place, with) => {
                let mut value = self.value(with)?;
                if let Some(op) = op {
                    let before = self.value(place)?.number();
                    value = Value::Number(self.calculate(*op, before, value.number())?);
                }
                self.assign(place, value.clone())?;
                value
            }
            Expr::Binary(op, left, right) => self.binary(*op, left, right)?,
            Expr::Getline(from, into) => self.getline(from, into.as_deref())?,
        })
    }

    pub(super) fn assign(&mut self, place: &'a Expr, value: Value) -> Done<()> {
        match place {
            Expr::Item(name, key) => {
                let key = self.key(key)?;
                let id = self.array(name)?;
                self.arrays[id].insert(key, value);
            }
            Expr::Field(inner) => {
                let at = self.value(inner)?.number();
                if at < 0.0 {
                    return self.fatal(&format!("attempt to access field {}", at as i64));
                }
                if at < 1.0 {
                    let text = value.shown(&self.text_of("CONVFMT"));
                    self.set_record(&text);
                    return Ok(());
                }
                let at = (at as usize).min(MOST_FIELDS);
                if self.fields.len() < at {
                    self.fields.resize(at, Value::Unset);
                    self.set_number("NF", at as f64);
                }
                self.fields[at - 1] = value;
                self.join_fields();
            }
            Expr::Variable(name) => self.set(name, value)?,
            // No other expression is read as a place.
            _ => {}
        }
        Ok(())
    }

    fn binary(&mut self, op: Op, left: &'a Expr, right: &'a Expr) -> Done<Value> {
        match op {
            Op::And => return Ok(Value::flag(self.truth(left)? && self.truth(right)?)),
            Op::Or => return Ok(Value::flag(self.truth(left)? || self.truth(right)?)),
            Op::Matches | Op::MatchesNot => {
                let text = self.text(left)?;
                let found = self.pattern(right)?.is_match(&text);
                return Ok(Value::flag(found == (op == Op::Matches)));
            }
            _ => {}
        }
        let (l, r) = (self.value(left)?, self.value(right)?);
        let format = self.text_of("CONVFMT");
        Ok(match op {
            Op::Join => Value::text(&format!("{}{}", l.shown(&format), r.shown(&format))),
            Op::Equal | Op::Unequal | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                let order = l.compare(&r, &format);
                Value::flag(match op {
                    Op::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
                    Op::Unequal => order.is_none_or(std::cmp::Ordering::is_ne),
                    Op::Less => order.is_some_and(std::cmp::Ordering::is_lt),
                    Op::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
                    Op::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
                    _ => order.is_some_and(std::cmp::Ordering::is_ge),
                })
            }
            _ => Value::Number(self.calculate(op, l.number(), r.number())?),
        })
    }

    fn calculate(&mut self, op: Op, l: f64, r: f64) -> Done<f64> {
        Ok(match op {
            Op::Plus => l + r,
            Op::Minus => l - r,
            Op::Times => l * r,
            Op::Divided if r == 0.0 => return self.fatal("division by zero attempted"),
            Op::Modulo if r == 0.0 => return self.fatal("division by zero attempted in `%'"),
            Op::Divided => l / r,
            Op::Modulo => l % r,
            _ => l.powf(r),
        })
    }

    /// Calls a function of the program's own: arrays are the caller's, all else is a copy.
    fn own(&mut self, name: &str, given: &'a [Expr]) -> Done<Value> {
        let program = self.program;
        let Some(function) = program.functions.get(name) else {
            return self.fatal(&format!("function `{name}' not defined"));
        };
        if given.len() > function.parameters.len() {
            return self.fatal(&format!("function `{name}' called with more arguments than declared"));
        }
        if self.frames.len() >= MOST_CALLS {
            return Err(Stop::Flow(Flow::Stopped(format!(
                "{MOST_CALLS} calls within calls of awk's functions"
            ))));
        }
        self.round()?;
        let mut frame = BTreeMap::new();
        for (i, parameter) in function.parameters.iter().enumerate() {
            let cell = match given.get(i) {
                None => Cell::Unset(None),
                Some(Expr::Variable(variable)) => {
                    let next = self.arrays.len();
                    match self.cell(variable) {
                        Cell::Array(id) => Cell::Array(*id),
                        Cell::Value(value) => Cell::Value(value.clone()),
                        Cell::Unset(Some(id)) => Cell::Unset(Some(*id)),
                        unset @ Cell::Unset(None) => {
                            *unset = Cell::Unset(Some(next));
                            self.arrays.push(BTreeMap::new());
                            Cell::Unset(Some(next))
                        }
                    }
                }
                Some(other) => Cell::Value(self.value(other)?),
            };
            frame.insert(parameter.clone(), cell);
        }
        self.frames.push(frame);
        let ended = self.all(&function.body);
        self.frames.pop();
        match ended {
            Ok(()) => Ok(Value::Unset),
            Err(Stop::Return(value)) => Ok(value),
            Err(other) => Err(other),
        }
    }

    /// The names and values after the program: `ARGC`, `ARGV`.
    pub(super) fn arguments(&mut self, operands: &[String]) {
        let all = std::iter::once("awk").chain(operands.iter().map(String::as_str));
        let arguments =
            all.enumerate().map(|(i, it)| (shown(i as f64, "").into(), Value::input(it))).collect();
        self.set_number("ARGC", (operands.len() + 1) as f64);
        self.globals.insert("ARGV".to_owned(), Cell::Array(self.arrays.len()));
        self.arrays.push(arguments);
    }

    /// `name=value` among the files.
    pub(super) fn assign_argument(&mut self, text: &str) {
        if let Some((name, value)) = text.split_once('=') {
            let value = unescaped(value);
            self.set_input(name, &value);
        }
    }
}
