//! What happens when a line runs?
//!
//! Walks brush-parser's tree in bash's order. Every command runs to its end before the next begins: the left side of a pipe is
//! finished, in simulated time too, before the right side reads. A line has a budget of commands; a loop that uses it up is
//! stopped with a message, and everything done so far stays. What `&` does is in [`crate::job`].

use std::{borrow::Cow, rc::Rc};

use api::Kind;
use brush_parser::ast;
use cluster::World;

use crate::{
    array::Array,
    grammar,
    job::Beside,
    machine::{Machine, Own, Variable},
    output::{Hint, Output, Stdin, Stream},
    tool::{self, Call},
};

/// Most commands one line may run.
pub const MOST_COMMANDS: u32 = 10_000;
/// Most bytes one line may print.
pub const MOST_OUTPUT: usize = 32 << 20;
/// Deepest nesting of functions, substitutions and aliases.
const DEEPEST: u32 = 40;

/// The file descriptor of a line's first `<( )`; the next ones go down from here.
const FIRST_PROCESS: u32 = 63;

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
    /// Commands that have their turn whenever this one would let time pass.
    pub(crate) beside: Option<Beside>,
    /// Above zero where a failure is looked at, so that `set -e` lets it be.
    pub(crate) guarded: u32,
    /// How many loops, and how many sourced scripts, are running.
    pub(crate) loops: u32,
    pub(crate) sourced: u32,
    /// What the names that are local to each running function were before.
    locals: Vec<Vec<(String, Option<Variable>)>>,
    /// How many `<( )` this line has run.
    processes: u32,
    /// How many numbers `$RANDOM` has given.
    pub(crate) drawn: u64,
    commands: u32,
    printed: usize,
    pub(crate) depth: u32,
    /// Whether this is inside of a container.
    pub(crate) is_inside: bool,
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
    let mut shell = Shell {
        machine,
        world,
        substituted: None,
        until: None,
        beside: None,
        guarded: 0,
        loops: 0,
        sourced: 0,
        locals: Vec::new(),
        processes: 0,
        drawn: 0,
        commands: 0,
        printed: 0,
        depth: 0,
        is_inside: false,
    };
    let mut ended = shell.line(line, stdin, out);
    if let Err(Flow::Exit(status)) = ended {
        shell.machine.status = status;
        if let Err(stopped) = shell.trapped("EXIT", out) {
            ended = Err(stopped);
        }
    }
    if shell.processes > 0 {
        machine.files.remove("/dev/fd");
    }
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

impl<'a> Shell<'a> {
    /// The shell of a container that lives until then.
    pub(crate) fn inside(machine: &'a mut Machine, world: &'a mut World, until: api::SimTime) -> Self {
        Self {
            machine,
            world,
            substituted: None,
            until: Some(until),
            beside: None,
            guarded: 0,
            loops: 0,
            sourced: 0,
            locals: Vec::new(),
            processes: 0,
            drawn: 0,
            commands: 0,
            printed: 0,
            depth: 0,
            is_inside: true,
        }
    }
}

impl Shell<'_> {
    /// Whether its time is up.
    pub(crate) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| self.world.now() >= until)
    }

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

    pub(crate) fn list(
        &mut self,
        list: &ast::CompoundList,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let (mut status, mut rest) = (0, list.0.as_slice());
        while !rest.is_empty() {
            let done;
            (status, done) = self.item(rest, stdin, out)?;
            rest = rest.get(done..).unwrap_or_default();
        }
        Ok(status)
    }

    /// Runs the first of `rest`, and those beside it that have their turn while it is in the background; the status, and how many ran.
    pub(crate) fn item(
        &mut self,
        rest: &[ast::CompoundListItem],
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<(i32, usize), Flow> {
        let Some((ast::CompoundListItem(and_or, separator), rest)) = rest.split_first() else {
            return Ok((self.machine.status, 0));
        };
        self.catch_up(out)?;
        let (status, beside) = match separator {
            ast::SeparatorOperator::Async => {
                let beside = self.background(and_or, rest, stdin, out)?;
                (if beside > 0 { self.machine.status } else { 0 }, beside)
            }
            ast::SeparatorOperator::Sequence => (self.and_or(and_or, stdin, out)?, 0),
        };
        self.machine.status = status;
        Ok((status, beside + 1))
    }

    pub(crate) fn and_or(
        &mut self,
        list: &ast::AndOrList,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let mut rest = list.additional.iter().peekable();
        let mut status =
            self.guarded(rest.peek().is_some(), |shell| shell.pipeline(&list.first, stdin, out))?;
        while let Some(next) = rest.next() {
            self.machine.status = status;
            let (wanted, pipeline) = match next {
                ast::AndOr::And(pipeline) => (status == 0, pipeline),
                ast::AndOr::Or(pipeline) => (status != 0, pipeline),
            };
            if wanted {
                status = self.guarded(rest.peek().is_some(), |shell| shell.pipeline(pipeline, stdin, out))?;
            }
        }
        Ok(status)
    }

    /// Runs `body` where `set -e` lets failures be, if so.
    pub(crate) fn guarded<T>(&mut self, is_guarded: bool, body: impl FnOnce(&mut Self) -> T) -> T {
        self.guarded += u32::from(is_guarded);
        let result = body(self);
        self.guarded -= u32::from(is_guarded);
        result
    }

    fn pipeline(
        &mut self,
        pipeline: &ast::Pipeline,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let before = self.world.now();
        let mut each = Vec::new();
        let status = match pipeline.seq.as_slice() {
            [only] => self.guarded(pipeline.bang, |shell| shell.command_in_place(only, stdin, out))?,
            many => {
                let (mut status, mut failed) = (0, 0);
                let mut input: Option<Stdin> = None;
                for (i, command) in many.iter().enumerate() {
                    let mut inner = Output::default();
                    let mut first = stdin.clone();
                    let from = input.as_mut().unwrap_or(&mut first);
                    let ended = self.guarded(pipeline.bang, |shell| {
                        shell.subshell(&mut inner, |shell, out| shell.command_in_place(command, from, out))
                    });
                    status = match ended {
                        Ok(status) => status,
                        Err(flow) => {
                            // What the next command would have read is gone; what was said is not.
                            inner.chunks.retain(|(stream, _)| *stream == Stream::Err);
                            self.pass_on(inner, out)?;
                            return Err(flow);
                        }
                    };
                    each.push(status);
                    if status != 0 {
                        failed = status;
                    }
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
                if self.machine.options.pipefail { failed } else { status }
            }
        };
        if each.is_empty() {
            each.push(status);
        }
        let mut statuses = Array::default();
        each.iter().for_each(|status| statuses.push(&status.to_string()));
        self.machine.set_array("PIPESTATUS", statuses);
        if pipeline.timed.is_some() {
            let took = self.world.now().since(before);
            let (minutes, seconds) = (took.0 / 60_000, took.0 % 60_000);
            let real = format!("{minutes}m{}.{:03}s", seconds / 1000, seconds % 1000);
            self.print(Stream::Err, &format!("\nreal\t{real}\nuser\t0m0.000s\nsys\t0m0.000s\n"), out)?;
        }
        if pipeline.bang {
            self.machine.status = i32::from(status == 0);
            return Ok(self.machine.status);
        }
        self.machine.status = status;
        // A list or loop that fails has a command in it that failed, and was looked at if the shell is still here.
        let is_end = !matches!(
            pipeline.seq.as_slice(),
            [ast::Command::Compound(compound, _)]
                if !matches!(compound, ast::CompoundCommand::Subshell(_) | ast::CompoundCommand::Arithmetic(_))
        );
        if status != 0 && is_end && self.guarded == 0 {
            self.trapped("ERR", out)?;
            if self.machine.options.errexit {
                return Err(Flow::Exit(status));
            }
        }
        Ok(status)
    }

    /// Runs `body` with variables, aliases and directory of its own; files and the world stay changed.
    pub(crate) fn subshell(
        &mut self,
        out: &mut Output,
        body: impl FnOnce(&mut Self, &mut Output) -> Result<i32, Flow>,
    ) -> Result<i32, Flow> {
        let mut kept = Own::of(self.machine);
        self.machine.traps.clear();
        let ended = self.deeper(|shell| body(shell, out));
        let left = if self.machine.traps.is_empty() { Ok(()) } else { self.trapped("EXIT", out) };
        kept.swap(self.machine);
        left?;
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

    pub(crate) fn pass_on(&mut self, mut inner: Output, out: &mut Output) -> Result<(), Flow> {
        out.hints.append(&mut inner.hints);
        for (stream, text) in inner.chunks {
            self.print(stream, &text, out)?;
        }
        Ok(())
    }

    /// One more command of this line, unless it has run too many.
    pub(crate) fn count(&mut self) -> Result<(), Flow> {
        self.commands += 1;
        if self.commands > MOST_COMMANDS {
            return Err(Flow::Stopped(format!("{MOST_COMMANDS} commands")));
        }
        Ok(())
    }

    fn command_in_place(
        &mut self,
        command: &ast::Command,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        self.count()?;
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

    fn simple(
        &mut self,
        simple: &ast::SimpleCommand,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let mut words: Vec<Cow<'_, str>> = Vec::new();
        let mut redirects = Vec::new();
        let (mut assignments, mut declared) = (Vec::new(), Vec::new());
        self.substituted = None;
        let before = simple.prefix.iter().flat_map(|p| p.0.iter()).map(Some);
        let after = simple.suffix.iter().flat_map(|s| s.0.iter()).map(Some);
        let mut is_before = true;
        // The name stands between the two.
        for item in before.chain([None]).chain(after) {
            match item {
                None => {
                    is_before = false;
                    words.extend(simple.word_or_name.iter().map(|w| w.value.as_str().into()));
                }
                Some(ast::CommandPrefixOrSuffixItem::IoRedirect(redirect)) => redirects.push(redirect),
                Some(ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, _)) if is_before => {
                    assignments.push(assignment);
                }
                // `declare -a name=(…)`: declared first, filled afterwards.
                Some(ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, _))
                    if matches!(assignment.value, ast::AssignmentValue::Array(_)) =>
                {
                    words.push(assignment.name.to_string().into());
                    declared.push(assignment);
                }
                Some(
                    ast::CommandPrefixOrSuffixItem::Word(word)
                    | ast::CommandPrefixOrSuffixItem::AssignmentWord(_, word),
                ) => words.push(word.value.as_str().into()),
                Some(ast::CommandPrefixOrSuffixItem::ProcessSubstitution(kind, list)) => {
                    match self.process(kind, list, out)? {
                        Some(path) => words.push(path.into()),
                        None => return Ok(1),
                    }
                }
            }
        }
        let aliased = self.aliased(&words);
        let fields = match &aliased {
            Some(words) => self.fields(words.iter().map(String::as_str), out)?,
            None => self.fields(words.iter().map(AsRef::as_ref), out)?,
        };
        if fields.is_empty() {
            for assignment in assignments {
                self.assign(assignment, out)?;
                if self.machine.options.xtrace
                    && let ast::AssignmentName::VariableName(name) = &assignment.name
                {
                    let value = self.machine.variable(name).unwrap_or_default();
                    out.err(&format!("+ {name}={}", quoted(value)));
                }
            }
            let status = self.substituted.take().unwrap_or(0);
            return self.redirected(&redirects, stdin, out, |_, _, _| Ok(status));
        }
        let mut values = Vec::new();
        for assignment in assignments {
            if let (ast::AssignmentName::VariableName(name), ast::AssignmentValue::Scalar(word)) =
                (&assignment.name, &assignment.value)
            {
                values.push((name.clone(), self.text(&word.value, out)?));
            }
        }
        if self.machine.options.xtrace {
            self.show(&values, &fields, out);
        }
        self.redirected(&redirects, stdin, out, |shell, stdin, out| {
            let kept: Vec<_> =
                values.iter().map(|(name, _)| (name, shell.machine.variables.get(name).cloned())).collect();
            for (name, value) in &values {
                shell.machine.export(name, value);
            }
            let status = shell.fields_run(fields, stdin, out);
            // What the command itself set stays: `IFS=, read a b`.
            for (name, before) in kept {
                match before {
                    Some(before) => shell.machine.variables.insert(name.clone(), before),
                    None => shell.machine.variables.remove(name),
                };
            }
            for assignment in &declared {
                shell.assign(assignment, out)?;
            }
            status
        })
    }

    /// `set -x`: the command as it runs, assignments on lines of their own.
    fn show(&self, values: &[(String, String)], fields: &[String], out: &mut Output) {
        for (name, value) in values {
            out.err(&format!("+ {name}={}", quoted(value)));
        }
        if !fields.is_empty() {
            let words: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
            out.err(&format!("+ {}", words.join(" ")));
        }
    }

    /// `<(list)`: runs it now; the name of a file with what it printed. `None` where that cannot be, after saying so.
    pub(crate) fn process(
        &mut self,
        kind: &ast::ProcessSubstitutionKind,
        list: &ast::SubshellCommand,
        out: &mut Output,
    ) -> Result<Option<String>, Flow> {
        if matches!(kind, ast::ProcessSubstitutionKind::Write) {
            out.err("bash: >( ) is not available in this lab");
            return Ok(None);
        }
        let mut inner = Output::default();
        self.guarded(true, |shell| {
            shell.subshell(&mut inner, |shell, out| shell.list(&list.list, &mut Stdin::terminal(), out))
        })?;
        let path = format!("/dev/fd/{}", FIRST_PROCESS - self.processes);
        self.processes = (self.processes + 1).min(FIRST_PROCESS);
        let mut text = String::new();
        out.hints.append(&mut inner.hints);
        for (stream, chunk) in inner.chunks {
            match stream {
                Stream::Out => text.push_str(&chunk),
                Stream::Err => self.print(stream, &chunk, out)?,
            }
        }
        self.machine.files.make_all("/dev/fd");
        if let Err(error) = self.machine.files.write(&path, &text) {
            out.err(&format!("bash: {path}: {error}"));
            return Ok(None);
        }
        Ok(Some(path))
    }

    /// The words of a command whose first word is an alias.
    fn aliased(&self, words: &[Cow<'_, str>]) -> Option<Vec<String>> {
        let mut seen: Vec<String> = Vec::new();
        let mut all: Vec<String> = words.iter().map(|w| w.clone().into_owned()).collect();
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
        self.count()?;
        let name = fields.remove(0);
        if let Some(function) = self.machine.functions.get(&name).cloned() {
            return self.function(&name, &function, &fields, stdin, out);
        }
        if self.is_inside
            && let Some(ended) = self.run_inside(&name, &fields, out)
        {
            return ended;
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

    /// Whether a function is running.
    pub(crate) fn is_in_function(&self) -> bool {
        !self.locals.is_empty()
    }

    /// Makes a name the running function's own: it is as before when the function ends.
    pub(crate) fn keep(&mut self, name: &str) {
        let before = self.machine.variables.get(name).cloned();
        if let Some(names) = self.locals.last_mut() {
            names.push((name.to_owned(), before));
        }
    }

    fn function(
        &mut self,
        name: &str,
        function: &ast::FunctionBody,
        fields: &[String],
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        let given = fields.iter().map(|f| Rc::from(f.as_str())).collect();
        let kept = std::mem::replace(&mut self.machine.positional, given);
        self.locals.push(Vec::new());
        self.keep("FUNCNAME");
        self.machine.set("FUNCNAME", name);
        let result = self.deeper(|shell| shell.compound(&function.0, stdin, out));
        for (name, before) in self.locals.pop().into_iter().flatten().rev() {
            match before {
                Some(variable) => drop(self.machine.variables.insert(name, variable)),
                None => drop(self.machine.variables.remove(&name)),
            }
        }
        self.machine.positional = kept;
        match result {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        }
    }
}

/// A word in single quotes if it needs them.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn a_process_stands_as_a_file_for_its_line() {
        assert_eq!(stdout("cat <(echo a) - <(echo b) < /dev/null"), "a\nb\n");
        assert_eq!(stdout("while read n; do echo $n-; done < <(seq 2)"), "1-\n2-\n");
    }
}
