//! What happens when a line runs?
//!
//! Walks brush-parser's tree in bash's order. Every command runs to its end before the next begins: the left side of a pipe is
//! finished, in simulated time too, before the right side reads. A line has a budget of commands; a loop that uses it up is
//! stopped with a message, and everything done so far stays.
//! MODEL: `&` runs its command at once and to the end; there are no jobs.

use std::rc::Rc;

use api::Kind;
use brush_parser::ast;
use cluster::World;

use crate::{
    grammar,
    machine::Machine,
    output::{Hint, Output, Stdin, Stream},
    tool::{self, Call},
};

/// Most commands one line may run.
pub const MOST_COMMANDS: u32 = 10_000;
/// Most bytes one line may print.
pub const MOST_OUTPUT: usize = 32 << 20;
/// Deepest nesting of functions, substitutions and aliases.
const DEEPEST: u32 = 40;

/// Why the evaluation leaves its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// `break N`.
    Break(u32),
    /// `continue N`.
    Continue(u32),
    /// `return N`.
    Return(i32),
    /// `exit N`: the rest of the line, or of the subshell, is not run.
    Exit(i32),
    /// An expansion failed: the rest of the line is not run.
    Abandoned(i32),
    /// The lab's own limit, such as `10000 commands`.
    Stopped(String),
}

/// One line on its way.
pub struct Shell<'a> {
    /// The learner's machine.
    pub machine: &'a mut Machine,
    /// The world its tools talk to.
    pub world: &'a mut World,
    pub(crate) substituted: Option<i32>,
    /// When `timeout` ends what waits.
    pub(crate) until: Option<api::SimTime>,
    commands: u32,
    printed: usize,
    depth: u32,
}

/// Runs one line as bash would; its exit status.
pub fn run(line: &str, machine: &mut Machine, world: &mut World, out: &mut Output) -> i32 {
    run_fed(line, &mut Stdin::terminal(), machine, world, out)
}

/// Runs one line with something on standard input.
pub fn run_fed(
    line: &str,
    stdin: &mut Stdin,
    machine: &mut Machine,
    world: &mut World,
    out: &mut Output,
) -> i32 {
    machine.history.push_back(line.into());
    let mut shell =
        Shell { machine, world, substituted: None, until: None, commands: 0, printed: 0, depth: 0 };
    let ended = shell.line(line, stdin, out);
    if let Err(Flow::Stopped(limit)) = &ended {
        say_stopped(limit, world, out);
    }
    let exited = matches!(ended, Err(Flow::Exit(_)));
    let status = match ended {
        Ok(status) | Err(Flow::Exit(status) | Flow::Return(status) | Flow::Abandoned(status)) => status,
        Err(Flow::Break(_) | Flow::Continue(_)) => 0,
        Err(Flow::Stopped(_)) => 130,
    };
    machine.status = status;
    machine.exited = exited;
    status
}

/// Says which limit the line reached and, where time had to stop, how the world stands.
fn say_stopped(limit: &str, world: &World, out: &mut Output) {
    out.err(&format!("lab: stopped: this line reached the limit of {limit}"));
    if world.is_exhausted() {
        let pods = world.store().iter().filter(|(key, _)| key.kind == Kind::Pod).count();
        let at = world.stamp(world.now()).0.strftime("%H:%M:%S").to_string();
        out.err(&format!(
            "lab: the world stands still at {at} with {pods} pods; nothing is lost. The next line goes on from here; \
             'lab undo' takes this one back."
        ));
    }
    out.hint(Hint::Stopped { limit: limit.to_owned() });
}

impl Shell<'_> {
    /// Runs a text as if typed here.
    pub(crate) fn line(&mut self, line: &str, stdin: &mut Stdin, out: &mut Output) -> Result<i32, Flow> {
        match grammar::parse(line) {
            Ok(parsed) => {
                if let Some(warning) = parsed.warning {
                    out.err(&format!("bash: {warning}"));
                }
                let mut status = self.machine.status;
                for command in &parsed.program.complete_commands {
                    status = self.list(command, stdin, out)?;
                }
                Ok(status)
            }
            Err(error) => {
                out.err(&format!("bash: {error}"));
                Ok(2)
            }
        }
    }

    fn list(&mut self, list: &ast::CompoundList, stdin: &mut Stdin, out: &mut Output) -> Result<i32, Flow> {
        let mut status = 0;
        for ast::CompoundListItem(and_or, separator) in &list.0 {
            status = self.and_or(and_or, stdin, out)?;
            if matches!(separator, ast::SeparatorOperator::Async) {
                status = 0;
            }
            self.machine.status = status;
        }
        Ok(status)
    }

    fn and_or(&mut self, list: &ast::AndOrList, stdin: &mut Stdin, out: &mut Output) -> Result<i32, Flow> {
        let mut status = self.pipeline(&list.first, stdin, out)?;
        for next in &list.additional {
            self.machine.status = status;
            let (wanted, pipeline) = match next {
                ast::AndOr::And(pipeline) => (status == 0, pipeline),
                ast::AndOr::Or(pipeline) => (status != 0, pipeline),
            };
            if wanted {
                status = self.pipeline(pipeline, stdin, out)?;
            }
        }
        Ok(status)
    }

    fn pipeline(
        &mut self,
        pipeline: &ast::Pipeline,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let before = self.world.now();
        let status = match pipeline.seq.as_slice() {
            [only] => self.command_in_place(only, stdin, out)?,
            many => {
                let mut status = 0;
                let mut input: Option<Stdin> = None;
                for (i, command) in many.iter().enumerate() {
                    let mut inner = Output::default();
                    let mut first = stdin.clone();
                    let from = input.as_mut().unwrap_or(&mut first);
                    status = match self.subshell(|shell| shell.command_in_place(command, from, &mut inner)) {
                        Ok(status) => status,
                        Err(flow) => {
                            // What the next command would have read is gone; what was said is not.
                            inner.chunks.retain(|(stream, _)| *stream == Stream::Err);
                            self.pass_on(inner, out)?;
                            return Err(flow);
                        }
                    };
                    if i + 1 == many.len() {
                        self.pass_on(inner, out)?;
                        break;
                    }
                    let mut text = String::new();
                    out.hints.append(&mut inner.hints);
                    for (stream, chunk) in inner.chunks {
                        match stream {
                            Stream::Out => text.push_str(&chunk),
                            Stream::Err => self.print(stream, &chunk, out)?,
                        }
                    }
                    input = Some(Stdin::of(&text));
                }
                status
            }
        };
        if pipeline.timed.is_some() {
            let took = self.world.now().since(before);
            let (minutes, seconds) = (took.0 / 60_000, took.0 % 60_000);
            let real = format!("{minutes}m{}.{:03}s", seconds / 1000, seconds % 1000);
            self.print(Stream::Err, &format!("\nreal\t{real}\nuser\t0m0.000s\nsys\t0m0.000s\n"), out)?;
        }
        let status = if pipeline.bang { i32::from(status == 0) } else { status };
        self.machine.status = status;
        Ok(status)
    }

    /// Runs `body` with variables, aliases and directory of its own; files and the world stay changed.
    pub(crate) fn subshell(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<i32, Flow>,
    ) -> Result<i32, Flow> {
        let kept = (
            self.machine.variables.clone(),
            self.machine.aliases.clone(),
            self.machine.functions.clone(),
            self.machine.cwd.clone(),
            self.machine.before.clone(),
            self.machine.positional.clone(),
        );
        let ended = self.deeper(body);
        let machine = &mut *self.machine;
        (
            machine.variables,
            machine.aliases,
            machine.functions,
            machine.cwd,
            machine.before,
            machine.positional,
        ) = kept;
        match ended {
            Ok(status) | Err(Flow::Exit(status) | Flow::Return(status) | Flow::Abandoned(status)) => {
                Ok(status)
            }
            Err(Flow::Break(_) | Flow::Continue(_)) => Ok(0),
            Err(Flow::Stopped(limit)) => Err(Flow::Stopped(limit)),
        }
    }

    fn deeper<T>(&mut self, body: impl FnOnce(&mut Self) -> Result<T, Flow>) -> Result<T, Flow> {
        if self.depth >= DEEPEST {
            return Err(Flow::Stopped(format!("{DEEPEST} nested calls")));
        }
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        result
    }

    fn print(&mut self, stream: Stream, text: &str, out: &mut Output) -> Result<(), Flow> {
        self.printed = self.printed.saturating_add(text.len());
        if self.printed > MOST_OUTPUT {
            return Err(Flow::Stopped(format!("{} MB of output", MOST_OUTPUT >> 20)));
        }
        out.write(stream, text);
        Ok(())
    }

    fn pass_on(&mut self, mut inner: Output, out: &mut Output) -> Result<(), Flow> {
        out.hints.append(&mut inner.hints);
        for (stream, text) in inner.chunks {
            self.print(stream, &text, out)?;
        }
        Ok(())
    }

    fn command_in_place(
        &mut self,
        command: &ast::Command,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        self.commands += 1;
        if self.commands > MOST_COMMANDS {
            return Err(Flow::Stopped(format!("{MOST_COMMANDS} commands")));
        }
        let status = self.one_command(command, stdin, out)?;
        if self.world.is_exhausted() {
            return Err(Flow::Stopped("what may happen within one line".to_owned()));
        }
        Ok(status)
    }

    fn one_command(
        &mut self,
        command: &ast::Command,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        match command {
            ast::Command::Simple(simple) => self.simple(simple, stdin, out),
            ast::Command::Compound(compound, redirects) => {
                let redirects: Vec<&ast::IoRedirect> = redirects.iter().flat_map(|r| r.0.iter()).collect();
                self.redirected(&redirects, stdin, out, |shell, stdin, out| {
                    shell.compound(compound, stdin, out)
                })
            }
            ast::Command::Function(function) => {
                let name = function.fname.value.clone();
                self.machine.functions.insert(name, Rc::new(function.body.clone()));
                Ok(0)
            }
            ast::Command::ExtendedTest(test, _) => {
                Ok(i32::from(!crate::builtin::test::extended(self, &test.expr, out)?))
            }
        }
    }

    fn compound(
        &mut self,
        compound: &ast::CompoundCommand,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        match compound {
            ast::CompoundCommand::BraceGroup(group) => self.list(&group.list, stdin, out),
            ast::CompoundCommand::Subshell(sub) => self.subshell(|shell| shell.list(&sub.list, stdin, out)),
            ast::CompoundCommand::ForClause(clause) => {
                let values = match &clause.values {
                    Some(words) => self.fields(words.iter().map(|w| w.value.as_str()), out)?,
                    None => self.machine.positional.iter().map(ToString::to_string).collect(),
                };
                let mut status = 0;
                for value in values {
                    self.machine.set(&clause.variable_name, &value);
                    match self.body(&clause.body, stdin, out)? {
                        Ok(last) => status = last,
                        Err(()) => break,
                    }
                }
                Ok(status)
            }
            ast::CompoundCommand::WhileClause(ast::WhileOrUntilClauseCommand(condition, body, _)) => {
                self.repeat(condition, body, true, stdin, out)
            }
            ast::CompoundCommand::UntilClause(ast::WhileOrUntilClauseCommand(condition, body, _)) => {
                self.repeat(condition, body, false, stdin, out)
            }
            ast::CompoundCommand::IfClause(clause) => {
                if self.list(&clause.condition, stdin, out)? == 0 {
                    return self.list(&clause.then, stdin, out);
                }
                for other in clause.elses.iter().flatten() {
                    let taken = match &other.condition {
                        Some(condition) => self.list(condition, stdin, out)? == 0,
                        None => true,
                    };
                    if taken {
                        return self.list(&other.body, stdin, out);
                    }
                }
                Ok(0)
            }
            ast::CompoundCommand::CaseClause(clause) => {
                let value = self.text(&clause.value.value, out)?;
                for item in &clause.cases {
                    for pattern in &item.patterns {
                        let pattern = self.pattern(&pattern.value, out)?;
                        if crate::glob::matches(&pattern, &value) {
                            return match &item.cmd {
                                Some(list) => self.list(list, stdin, out),
                                None => Ok(0),
                            };
                        }
                    }
                }
                Ok(0)
            }
            ast::CompoundCommand::Arithmetic(command) => {
                let text = self.here(&command.expr.value, out)?;
                Ok(i32::from(self.number(&text, out)? == 0))
            }
            ast::CompoundCommand::ArithmeticForClause(clause) => {
                if let Some(first) = &clause.initializer {
                    self.number(&first.value, out)?;
                }
                let mut status = 0;
                loop {
                    self.commands += 1;
                    if self.commands > MOST_COMMANDS {
                        return Err(Flow::Stopped(format!("{MOST_COMMANDS} commands")));
                    }
                    if let Some(condition) = &clause.condition
                        && self.number(&condition.value, out)? == 0
                    {
                        return Ok(status);
                    }
                    match self.body(&clause.body, stdin, out)? {
                        Ok(last) => status = last,
                        Err(()) => return Ok(status),
                    }
                    if let Some(step) = &clause.updater {
                        self.number(&step.value, out)?;
                    }
                }
            }
            ast::CompoundCommand::Coprocess(_) => {
                out.err("bash: coproc: not available in this lab");
                Ok(1)
            }
        }
    }

    fn number(&mut self, text: &str, out: &mut Output) -> Result<i64, Flow> {
        crate::arithmetic::evaluate(text, self.machine).map_err(|message| {
            out.err(&format!("bash: ((: {message}"));
            Flow::Abandoned(1)
        })
    }

    fn repeat(
        &mut self,
        condition: &ast::CompoundList,
        body: &ast::DoGroupCommand,
        wanted: bool,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let mut status = 0;
        while (self.list(condition, stdin, out)? == 0) == wanted {
            match self.body(body, stdin, out)? {
                Ok(last) => status = last,
                Err(()) => break,
            }
        }
        Ok(status)
    }

    /// One round of a loop; `Err(())` ends the loop.
    fn body(
        &mut self,
        body: &ast::DoGroupCommand,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<Result<i32, ()>, Flow> {
        match self.list(&body.list, stdin, out) {
            Ok(status) => Ok(Ok(status)),
            Err(Flow::Break(0 | 1)) => Ok(Err(())),
            Err(Flow::Continue(0 | 1)) => Ok(Ok(0)),
            Err(Flow::Break(n)) => Err(Flow::Break(n - 1)),
            Err(Flow::Continue(n)) => Err(Flow::Continue(n - 1)),
            Err(other) => Err(other),
        }
    }

    fn simple(
        &mut self,
        simple: &ast::SimpleCommand,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let mut words: Vec<&str> = Vec::new();
        let mut redirects = Vec::new();
        let mut assignments = Vec::new();
        self.substituted = None;
        for item in simple.prefix.iter().flat_map(|p| p.0.iter()) {
            match item {
                ast::CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect),
                ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => assignments.push(assignment),
                ast::CommandPrefixOrSuffixItem::Word(word) => words.push(&word.value),
                ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    return Ok(self.no_process_substitution(out));
                }
            }
        }
        words.extend(simple.word_or_name.iter().map(|w| w.value.as_str()));
        for item in simple.suffix.iter().flat_map(|s| s.0.iter()) {
            match item {
                ast::CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect),
                ast::CommandPrefixOrSuffixItem::Word(word)
                | ast::CommandPrefixOrSuffixItem::AssignmentWord(_, word) => words.push(&word.value),
                ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    return Ok(self.no_process_substitution(out));
                }
            }
        }
        let aliased = self.aliased(&words);
        let fields = match &aliased {
            Some(words) => self.fields(words.iter().map(String::as_str), out)?,
            None => self.fields(words.iter().copied(), out)?,
        };
        let mut values = Vec::new();
        for assignment in assignments {
            let ast::AssignmentName::VariableName(name) = &assignment.name else {
                out.err("bash: arrays are not available in this lab");
                return Ok(1);
            };
            let ast::AssignmentValue::Scalar(word) = &assignment.value else {
                out.err("bash: arrays are not available in this lab");
                return Ok(1);
            };
            let mut value = self.text(&word.value, out)?;
            if assignment.append {
                value = format!("{}{value}", self.machine.variable(name).unwrap_or_default());
            }
            values.push((name.clone(), value));
        }
        if fields.is_empty() {
            for (name, value) in values {
                self.machine.set(&name, &value);
            }
            let status = self.substituted.take().unwrap_or(0);
            return self.redirected(&redirects, stdin, out, |_, _, _| Ok(status));
        }
        self.redirected(&redirects, stdin, out, |shell, stdin, out| {
            let kept = shell.machine.variables.clone();
            for (name, value) in &values {
                shell.machine.export(name, value);
            }
            let status = shell.fields_run(fields, stdin, out);
            if !values.is_empty() {
                shell.machine.variables = kept;
            }
            status
        })
    }

    fn no_process_substitution(&mut self, out: &mut Output) -> i32 {
        out.err("bash: process substitution is not available in this lab");
        1
    }

    /// The words of a command whose first word is an alias.
    fn aliased(&self, words: &[&str]) -> Option<Vec<String>> {
        let mut seen: Vec<String> = Vec::new();
        let mut all: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        while let Some(text) =
            all.first().filter(|w| !seen.contains(w)).and_then(|w| self.machine.aliases.get(w))
        {
            let parsed = grammar::parse(text).ok()?;
            let [command] = parsed.program.complete_commands.as_slice() else { return None };
            let [ast::CompoundListItem(list, _)] = command.0.as_slice() else { return None };
            let ([ast::Command::Simple(simple)], []) =
                (list.first.seq.as_slice(), list.additional.as_slice())
            else {
                return None;
            };
            let mut now: Vec<String> = simple.word_or_name.iter().map(|w| w.value.clone()).collect();
            for item in simple.suffix.iter().flat_map(|s| s.0.iter()) {
                if let ast::CommandPrefixOrSuffixItem::Word(word)
                | ast::CommandPrefixOrSuffixItem::AssignmentWord(_, word) = item
                {
                    now.push(word.value.clone());
                }
            }
            seen.push(all.remove(0));
            now.append(&mut all);
            all = now;
        }
        (!seen.is_empty()).then_some(all)
    }

    /// Runs words that are already expanded.
    pub(crate) fn fields_run(
        &mut self,
        mut fields: Vec<String>,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        if fields.is_empty() {
            return Ok(0);
        }
        self.commands += 1;
        if self.commands > MOST_COMMANDS {
            return Err(Flow::Stopped(format!("{MOST_COMMANDS} commands")));
        }
        let name = fields.remove(0);
        if let Some(function) = self.machine.functions.get(&name).cloned() {
            return self.function(&function, &fields, stdin, out);
        }
        let Some(tool) = tool::find(&name) else {
            return Ok(tool::unknown(&name, self.machine, out));
        };
        let mut inner = Output::default();
        let status = self.deeper(|shell| {
            (tool.run)(&mut Call { name: tool.name, args: fields, stdin, out: &mut inner, shell })
        });
        self.pass_on(inner, out)?;
        status
    }

    fn function(
        &mut self,
        function: &ast::FunctionBody,
        fields: &[String],
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let given = fields.iter().map(|f| Rc::from(f.as_str())).collect();
        let kept = std::mem::replace(&mut self.machine.positional, given);
        let result = self.deeper(|shell| shell.compound(&function.0, stdin, out));
        self.machine.positional = kept;
        match result {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        }
    }
}
