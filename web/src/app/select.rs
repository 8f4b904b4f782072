//! What follows when something is picked: it is shown, or becomes an end of the path that is being chosen.

use yew::Context;

use super::{App, Pane, Sheet, Tab, Width};
use crate::screen::story;

impl App {
    /// Shows what a command pointed at.
    pub(super) fn show_selected(&mut self, id: String) {
        self.looked = None;
        self.tried.clear();
        self.pointed = None;
        self.selected = Some(id);
        self.hidden.retain(|pane| *pane != Pane::Inspector);
    }

    /// Selects a thing of the scene, or nothing.
    pub(super) fn select(&mut self, context: &Context<Self>, id: Option<String>) {
        if self.selected != id {
            self.looked = None;
            self.tried.clear();
            self.pointed = None;
        }
        self.selected.clone_from(&id);
        if self.width == Width::Tablet {
            // It lies over the picture: there while something is picked.
            self.hidden.retain(|pane| *pane != Pane::Inspector);
            self.hidden.extend(id.is_none().then_some(Pane::Inspector));
        }
        if self.picking {
            return self.pick_end(context, id.as_deref());
        }
        if self.width == Width::Phone && id.is_some() {
            self.sheet = Sheet::Why;
        }
        if self.tab == Tab::Path && id.is_some() && self.desk.path.is_none() {
            self.tab = Tab::Why;
        }
        // A lesson may ask that something be looked at; only then is a look part of the script.
        let asks = self.desk.asks_for_selection();
        if let Some(id) = id.filter(|id| asks && (id.starts_with("Pod/") || id.starts_with("Node/"))) {
            let mut parts = id.split('/');
            let kind = parts.next().unwrap_or_default().to_lowercase();
            let name = parts.next_back().unwrap_or_default().to_owned();
            self.run(context, &format!("lab select {kind}/{name}"));
        }
    }

    /// After a step the inspector says why of what was just shown.
    pub(super) fn follow_step(&mut self) {
        let Some(place) = self.desk.beat.as_ref().map(story::place) else { return };
        self.selected = Some(place);
        self.tab = Tab::Why;
        if self.width == Width::Phone {
            self.sheet = Sheet::Why;
        }
    }

    /// While the ends of a path are being chosen, what is picked is the next of them.
    fn pick_end(&mut self, context: &Context<Self>, id: Option<&str>) {
        let Some(end) = id.and_then(lab::view::path::said) else { return };
        if self.ends.0.is_empty() {
            self.ends.0 = end;
        } else {
            self.ends.1 = end;
            self.trace(context, "");
        }
    }

    /// Follows a packet between the chosen ends.
    pub(super) fn trace(&mut self, context: &Context<Self>, port: &str) {
        let (from, to) = self.ends.clone();
        if from.is_empty() || to.is_empty() {
            return;
        }
        self.picking = false;
        let port = if port.is_empty() { String::new() } else { format!(":{port}") };
        self.run(context, &format!("lab trace {from} {to}{port}"));
    }
}
