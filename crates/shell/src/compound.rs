//! What do `for`, `while`, `if`, `case`, `{ }` and `( )` do?
//!
//! Conditions never end the shell under `set -e`. Source: bash 5.2 manual, 3.2.5 Compound Commands.

use brush_parser::ast;

use crate::{
    eval::{Flow, Shell},
    output::{Output, Stdin},
};

impl Shell<'_> {
    pub(crate) fn compound(
        &mut self,
        compound: &ast::CompoundCommand,
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<i32, Flow> {
        match compound {
            ast::CompoundCommand::BraceGroup(group) => self.list(&group.list, stdin, out),
            ast::CompoundCommand::Subshell(sub) => {
                self.subshell(out, |shell, out| shell.list(&sub.list, stdin, out))
            }
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
                if self.guarded(true, |shell| shell.list(&clause.condition, stdin, out))? == 0 {
                    return self.list(&clause.then, stdin, out);
                }
                for other in clause.elses.iter().flatten() {
                    let taken = match &other.condition {
                        Some(condition) => {
                            self.guarded(true, |shell| shell.list(condition, stdin, out))? == 0
                        }
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
                // `;&` runs the next list whatever its patterns, `;;&` goes on looking.
                let (mut status, mut falls) = (0, false);
                for item in &clause.cases {
                    let mut applies = std::mem::take(&mut falls);
                    for pattern in &item.patterns {
                        if applies {
                            break;
                        }
                        let pattern = self.pattern(&pattern.value, out)?;
                        applies = crate::glob::matches(&pattern, &value);
                    }
                    if !applies {
                        continue;
                    }
                    status = match &item.cmd {
                        Some(list) => self.list(list, stdin, out)?,
                        None => 0,
                    };
                    match item.post_action {
                        ast::CaseItemPostAction::ExitCase => break,
                        ast::CaseItemPostAction::UnconditionallyExecuteNextCaseItem => falls = true,
                        ast::CaseItemPostAction::ContinueEvaluatingCases => {}
                    }
                }
                Ok(status)
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
                    self.count()?;
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
        while (self.guarded(true, |shell| shell.list(condition, stdin, out))? == 0) == wanted {
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
        self.loops += 1;
        let ended = self.list(&body.list, stdin, out);
        self.loops -= 1;
        match ended {
            Ok(status) => Ok(Ok(status)),
            Err(Flow::Break(0 | 1)) => Ok(Err(())),
            Err(Flow::Continue(0 | 1)) => Ok(Ok(0)),
            Err(Flow::Break(n)) => Err(Flow::Break(n - 1)),
            Err(Flow::Continue(n)) => Err(Flow::Continue(n - 1)),
            Err(other) => Err(other),
        }
    }
}
