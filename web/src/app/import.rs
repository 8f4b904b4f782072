//! How do files that somebody drops or chooses become a cluster beside the lab's?
//!
//! Their texts are written into the home directory and imported by a line that one could have typed: it is part of the session,
//! so it can be taken back, and it is in a link only if one is made. Nothing is sent anywhere.

use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, FileList, HtmlInputElement};
use yew::{Callback, Context, DragEvent};

use super::{Action, App, edit, target};

/// Most bytes of all files.
const LONGEST: usize = 16 << 20;

impl App {
    /// Writes the files and imports them.
    pub(super) fn import(&mut self, context: &Context<Self>, files: &[(String, String)]) {
        if files.iter().map(|(_, text)| text.len()).sum::<usize>() > LONGEST {
            self.alarm = self.ui().import_too_long.to_owned();
            return;
        }
        let mut line = String::new();
        for (name, text) in files {
            let (mark, text) = (edit::mark(text), text.trim_end_matches('\n'));
            line.push_str(&format!("cat > {name} <<'{mark}'\n{text}\n{mark}\n"));
        }
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        line.push_str(&format!("lab import {}", names.join(" ")));
        self.run(context, &line);
    }
}

/// A drop of files; anything else that is dropped is the browser's.
pub fn dropped(send: &Callback<Action>) -> Callback<DragEvent> {
    let send = send.clone();
    Callback::from(move |event: DragEvent| {
        show_zone(false);
        if let Some(files) = event.data_transfer().and_then(|it| it.files()).filter(|it| it.length() > 0) {
            event.prevent_default();
            read(&files, send.clone());
        }
    })
}

/// What is over the page may be dropped here; files are told so.
pub fn hovers(event: &DragEvent) {
    event.prevent_default();
    let files = event.data_transfer().is_some_and(|it| it.types().includes(&"Files".into(), 0));
    show_zone(files);
}

/// It was taken away again: whatever it is over now lies outside the page.
pub fn left(event: &DragEvent) {
    if event.related_target().is_none() {
        show_zone(false);
    }
}

/// Shows where files may be dropped.
fn show_zone(shown: bool) {
    let root = gloo::utils::document_element();
    // Without the mark a drop works all the same.
    let _ = if shown { root.set_attribute("data-drop", "") } else { root.remove_attribute("data-drop") };
}

/// Files that were chosen in the browser's own window.
pub fn chosen(send: &Callback<Action>) -> Callback<Event> {
    let send = send.clone();
    Callback::from(move |event: Event| {
        if let Some(files) = target::<HtmlInputElement>(&event).and_then(|it| it.files()) {
            read(&files, send.clone());
        }
    })
}

/// Reads all files, then hands them on together.
fn read(files: &FileList, send: Callback<Action>) {
    let files: Vec<web_sys::File> = (0..files.length()).filter_map(|at| files.get(at)).collect();
    spawn_local(async move {
        let mut read = Vec::new();
        for (number, file) in files.iter().enumerate() {
            // A file that cannot be read is missed by `lab import`, which says what there is too little of.
            if let Ok(text) = JsFuture::from(file.text()).await {
                read.push((shell_name(&file.name(), number), text.as_string().unwrap_or_default()));
            }
        }
        if !read.is_empty() {
            send.emit(Action::Import(read));
        }
    });
}

/// A name that needs no quotes.
fn shell_name(name: &str, number: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_start_matches(['-', '.']);
    if name.is_empty() { format!("import-{number}.yaml") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_no_quotes() {
        assert_eq!(shell_name("my cluster (1).yaml", 0), "my-cluster--1-.yaml");
        assert_eq!(shell_name("-rf", 0), "rf");
        assert_eq!(shell_name("...", 2), "import-2.yaml");
    }
}
