//! Which file stands in the editor, and what becomes of it?
//!
//! Its text is applied by lines that would do the same on a real machine; a step of the solution that writes a file is offered there.

use std::{collections::BTreeMap, rc::Rc};

use api::{Diagnostic, diagnose::Purpose};
use lab::script;
use yew::Context;

use super::{App, Sheet, Work, edit, keys::Aim};

/// What an empty editor begins with.
const SAMPLE: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: hello\nspec:\n  containers:\n    - name: app\n      image: registry.k8s.io/pause:3.10\n";

/// Longest text that is checked while typing, in bytes.
const LONGEST_CHECKED: usize = 256 << 10;

impl App {
    pub(super) fn load_file(&mut self) {
        let files = self.desk.yaml_files();
        let (name, text) = self
            .desk
            .draft()
            .or_else(|| files.first().cloned())
            .unwrap_or_else(|| ("pod.yaml".to_owned(), SAMPLE.to_owned()));
        self.write(name, text);
    }

    /// Shows another file; what was changed in this one and not applied is kept.
    pub(super) fn look_into(&mut self, name: &str) {
        let files: BTreeMap<String, String> = self.desk.yaml_files().into_iter().collect();
        if files.get(&self.file) == Some(&self.text.1) {
            self.unsaved.remove(&self.file);
        } else {
            self.unsaved.insert(self.file.clone(), self.text.1.clone());
        }
        if let Some(text) = self.unsaved.get(name).or_else(|| files.get(name)).cloned() {
            self.write(name.to_owned(), text);
        }
    }

    /// Puts a text into the editor.
    pub(super) fn write(&mut self, name: String, text: String) {
        self.file = name;
        self.text = (self.text.0 + 1, text);
        self.check();
    }

    pub(super) fn check(&mut self) {
        let long = self.text.1.len() > LONGEST_CHECKED;
        self.purpose = if long { Purpose::Objects } else { api::diagnose::purpose(&self.text.1) };
        self.diagnostics = Rc::new(if self.purpose == Purpose::Part {
            // A patch is complete as it is.
            Vec::new()
        } else if long {
            vec![Diagnostic::warning(api::FieldPath::root(), self.ui().unchecked)]
        } else {
            api::diagnose::manifest(&self.text.1)
        });
    }

    pub(super) fn apply(&mut self, context: &Context<Self>) {
        if self.text.1.len() > script::LONGEST_PASTE {
            return self.desk.refuse();
        }
        let mark = edit::mark(&self.text.1);
        let (file, text) = (&self.file, self.text.1.trim_end_matches('\n'));
        let line = format!("cat > {file} <<'{mark}'\n{text}\n{mark}\nkubectl apply -f {file}");
        self.run(context, &line);
    }

    /// Writes the file; what to do with it is a command's affair, so the terminal is next.
    pub(super) fn save_file(&mut self, context: &Context<Self>) {
        if self.text.1.len() > script::LONGEST_PASTE {
            return self.desk.refuse();
        }
        let mark = edit::mark(&self.text.1);
        let (file, text) = (&self.file, self.text.1.trim_end_matches('\n'));
        let line = format!("cat > {file} <<'{mark}'\n{text}\n{mark}");
        self.run(context, &line);
        self.work = Work::Terminal;
        self.aim = Some(Aim::First("#command"));
    }

    pub(super) fn solution(&mut self) {
        let Some(book) = self.desk.book() else { return };
        let all = script::lines(book.solution());
        let done = self.desk.session().lines();
        // What a line writes by a here-document may have come by the editor.
        let is_done = |line: &String| {
            let text = document(line).map(|(_, text)| text);
            done.iter()
                .any(|d| d.text == *line || text.as_ref().is_some_and(|it| d.text.contains(it.trim_end())))
        };
        let next = all.iter().find(|line| !is_done(line) && !script::is_wait(line));
        if let Some(line) = next.cloned() {
            self.work = Work::Terminal;
            self.sheet = Sheet::Act;
            if let Some((name, text)) = document(&line) {
                self.write(name, text);
                self.work = Work::Editor;
            } else {
                self.typed = (self.typed.0 + 1, line);
            }
        }
    }
}

/// The file and the text of a line with a here-document: it is several lines, so it goes through the editor, which writes the same.
fn document(line: &str) -> Option<(String, String)> {
    let (first, rest) = line.split_once('\n')?;
    let file = first.strip_prefix("cat > ").and_then(|rest| rest.split_whitespace().next());
    let text: Vec<&str> = rest.lines().take_while(|row| !row.ends_with("EOF")).collect();
    Some((file.unwrap_or("pod.yaml").to_owned(), text.join("\n") + "\n"))
}
