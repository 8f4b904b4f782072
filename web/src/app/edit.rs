//! What is `kubectl edit` in a page?
//!
//! The object that it would open stands in the editor. Saving runs the same command with an editor that brings the text, so that the
//! line means the same on a real machine; what was in the editor before comes back.

use lab::script;
use yew::Context;

use super::{App, Pane, Sheet, Work, keys::Aim};

/// An object in the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editing {
    /// The command that edits it.
    pub command: String,
    /// The file and the text that were in the editor before.
    before: (String, String),
}

/// The file that the text is brought in.
const FILE: &str = "kubectl-edit.yaml";

/// A mark that no line of a text can be taken for.
pub(super) fn mark(text: &str) -> String {
    let mut mark = "EOF".to_owned();
    while text.lines().any(|line| line == mark) {
        mark.insert(0, '_');
    }
    mark
}

impl App {
    /// Opens the editor on a text.
    pub(super) fn begin_editing(&mut self, command: String, text: String) {
        let before = match self.editing.take() {
            Some(editing) => editing.before,
            None => (self.file.clone(), self.text.1.clone()),
        };
        self.editing = Some(Editing { command, before });
        self.write(FILE.to_owned(), text);
        self.work = Work::Editor;
        self.sheet = Sheet::Act;
        self.hidden.retain(|pane| *pane != Pane::Work);
        self.aim = Some(Aim::Editor);
    }

    /// Runs the command with what stands in the editor. What is refused comes back with the reasons above it.
    pub(super) fn save_edited(&mut self, context: &Context<Self>) {
        let Some(command) = self.editing.as_ref().map(|it| it.command.clone()) else { return };
        if self.text.1.len() > script::LONGEST_PASTE {
            return self.desk.refuse();
        }
        let (mark, text) = (mark(&self.text.1), self.text.1.trim_end_matches('\n'));
        self.run(
            context,
            &format!(
                "cat > {FILE} <<'{mark}' && KUBE_EDITOR='cp {FILE}' {command} && rm {FILE}\n{text}\n{mark}"
            ),
        );
        if self.alarm.is_empty() {
            self.end_editing();
        }
    }

    /// Puts back what was there before.
    pub(super) fn end_editing(&mut self) {
        let Some(editing) = self.editing.take() else { return };
        let (file, text) = editing.before;
        self.write(file, text);
        self.work = Work::Terminal;
        self.aim = Some(Aim::First("#command"));
    }
}
