//! What goes on beside a command that was sent to the background?
//!
//! One command runs at a time. One with `&` behind it begins first; whenever it would let time pass, a command after it in the list has
//! its turn and runs to its end. When there are none left, or `wait` stands next, the first goes on alone until it ends.
//! MODEL: a line ends only after the jobs that it sent to the background, and `jobs`, `fg` and `kill` know none.

use api::SimTime;
use brush_parser::ast;
use cluster::Budget;

use crate::{
    eval::{Flow, Shell},
    machine::Own,
    output::{Output, Stdin},
};

/// Commands that wait for their turn beside one in the background.
pub(crate) struct Beside {
    items: Vec<ast::CompoundListItem>,
    /// The next of them.
    next: usize,
    /// Variables and directory of the shell that they run in.
    own: Own,
    until: Option<SimTime>,
    status: i32,
    /// Why no more of them run.
    left: Option<Flow>,
    /// What they printed while the command in the background wrote somewhere else.
    out: Output,
    /// Whether that writes where they do.
    is_shared: bool,
    /// How deep a list of the command stands that writes where they do.
    level: Option<u32>,
}

impl Shell<'_> {
    /// Lets simulated time pass until `until`, or a command beside this one have its turn. Either way the world has to be looked at again.
    pub(crate) fn pass(&mut self, until: SimTime, out: &mut Output) {
        let Some(mut beside) = self.beside.take() else {
            self.world.run_until(until, Budget::COMMAND);
            return;
        };
        let item = beside.items.get(beside.next);
        if beside.left.is_some() || item.is_none_or(is_wait) {
            self.beside = Some(beside);
            self.world.run_until(until, Budget::COMMAND);
            return;
        }
        beside.own.swap(self.machine);
        let outer = std::mem::replace(&mut self.until, beside.until);
        let mut own = std::mem::take(&mut beside.out);
        let target = if beside.is_shared { out } else { &mut own };
        match self.item(&beside.items[beside.next..], &mut Stdin::terminal(), target) {
            Ok((status, done)) => {
                beside.status = status;
                beside.next += done;
            }
            Err(flow) => beside.left = Some(flow),
        }
        beside.out = own;
        self.until = outer;
        beside.own.swap(self.machine);
        self.beside = Some(beside);
    }

    /// Prints what commands beside this one have printed so far.
    pub(crate) fn catch_up(&mut self, out: &mut Output) -> Result<(), Flow> {
        match &mut self.beside {
            Some(beside) if beside.level == Some(self.depth) => {
                let said = std::mem::take(&mut beside.out);
                self.pass_on(said, out)
            }
            _ => Ok(()),
        }
    }

    /// Runs a command in the background, and those of `rest` beside it that have their turn; how many of them had.
    pub(crate) fn background(
        &mut self,
        list: &ast::AndOrList,
        rest: &[ast::CompoundListItem],
        stdin: &mut Stdin,
        out: &mut Output,
    ) -> Result<usize, Flow> {
        let beside = Beside {
            items: rest.to_vec(),
            next: 0,
            own: Own::of(self.machine),
            until: self.until,
            status: 0,
            left: None,
            out: Output::default(),
            is_shared: is_plain(list),
            level: depth_of(list).map(|deeper| self.depth + deeper),
        };
        let outer = self.beside.replace(beside);
        let ended = self.subshell(out, |shell, out| shell.and_or(list, stdin, out));
        let beside = std::mem::replace(&mut self.beside, outer);
        let Some(mut beside) = beside else { return ended.map(|_| 0) };
        beside.own.swap(self.machine);
        self.pass_on(beside.out, out)?;
        self.machine.status = beside.status;
        if let Some(flow) = beside.left {
            return Err(flow);
        }
        ended.map(|_| beside.next)
    }
}

/// How much deeper than itself the list of a compound command runs in the background, if it writes where the shell does.
fn depth_of(list: &ast::AndOrList) -> Option<u32> {
    match (list.first.seq.as_slice(), list.additional.as_slice()) {
        ([ast::Command::Compound(compound, None)], []) => {
            Some(if matches!(compound, ast::CompoundCommand::Subshell(_)) { 2 } else { 1 })
        }
        _ => None,
    }
}

/// `wait`, which ends only when the background has.
fn is_wait(item: &ast::CompoundListItem) -> bool {
    matches!(
        item.0.first.seq.as_slice(),
        [ast::Command::Simple(command)] if command.word_or_name.as_ref().is_some_and(|word| word.value == "wait")
    )
}

/// Whether it is one command that writes where the shell does.
fn is_plain(list: &ast::AndOrList) -> bool {
    let [ast::Command::Simple(command)] = list.first.seq.as_slice() else { return false };
    let redirects =
        |item: &ast::CommandPrefixOrSuffixItem| matches!(item, ast::CommandPrefixOrSuffixItem::IoRedirect(_));
    let parts = [
        command.prefix.as_ref().map(|prefix| prefix.0.as_slice()),
        command.suffix.as_ref().map(|suffix| suffix.0.as_slice()),
    ];
    list.additional.is_empty() && !parts.into_iter().flatten().flatten().any(redirects)
}

#[cfg(test)]
pub(crate) mod tests {
    use cluster::World;

    use crate::{Machine, Output, run};

    /// What a line says on an empty machine, and when it is over.
    pub(crate) fn said(line: &str) -> (String, u64) {
        let (mut machine, mut world, mut out) = (Machine::default(), World::empty(1), Output::default());
        run(line, &mut machine, &mut world, &mut out);
        (out.stdout(), world.now().0)
    }

    #[test]
    fn what_comes_after_a_job_begins_while_it_sleeps() {
        assert_eq!(said("sleep 5 & echo on; wait; echo end"), ("on\nend\n".to_owned(), 5000));
        assert_eq!(said("(sleep 3; echo late) & sleep 2; echo early; wait").0, "early\nlate\n");
        assert_eq!(said("sleep 2 & sleep 9; wait"), (String::new(), 9000));
    }

    #[test]
    fn a_job_has_variables_of_its_own_and_those_beside_it_keep_theirs() {
        assert_eq!(
            said("a=1; { a=2; sleep 1; echo job $a; } & a=3; echo $a; wait; echo $a").0,
            "3\njob 2\n3\n"
        );
        assert_eq!(
            said("sleep 1 & sleep 2 & echo both; wait; false & echo $?"),
            ("both\n0\n".to_owned(), 2000)
        );
    }
}
