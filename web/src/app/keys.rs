//! Which key does what?
//!
//! Single letters act where nothing is typed: in the scene, its outline and the timeline, and only while they are wanted (WCAG
//! 2.1.4). They are known by their place on the keyboard, so that the Korean layout does not matter; keys pressed while a syllable
//! is composed never come here. Escape works everywhere: one step back, then to the scene. In an empty command line the arrows have
//! nothing to move along: there they step through a story that waits.

use web_sys::KeyboardEvent;
use yew::{Callback, Context};

use super::{Action, App, Pane, Panel, Sheet, Tab, Width, Work, Zoom};
use crate::dom::{Place, focus, focus_first};

/// What takes the focus once it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// The editor's text.
    Editor,
    /// The first that a selector finds.
    First(&'static str),
}

/// The command line.
const COMMAND: Aim = Aim::First("#command");

/// Where the decision table begins, unless one is at its head.
const CELL: Aim = Aim::First("#decision:not(:has(.dh :focus)) .cell[tabindex='0']");

/// Sends what a key means for the page, if it means anything there.
pub(super) fn hear(event: &KeyboardEvent, send: &Callback<Action>) {
    if event.is_composing() || event.alt_key() || event.default_prevented() {
        return;
    }
    let place = Place::of(event);
    if event.ctrl_key() || event.meta_key() {
        if event.code() == "KeyZ" && !matches!(place, Place::Field | Place::Editor) {
            event.prevent_default();
            send.emit(if event.shift_key() { Action::Redo } else { Action::Undo });
        }
        return;
    }
    // What moves the focus must not be typed where it goes, and the space key must not scroll.
    if place == Place::Scene && event.key().chars().count() == 1 {
        event.prevent_default();
    }
    let idle = place == Place::Field
        && matches!(event.key().as_str(), "ArrowRight" | "ArrowLeft")
        && Place::is_empty_command(event);
    if place == Place::Scene || event.key() == "Escape" || idle {
        send.emit(Action::Pressed(event.code(), event.key(), place));
    }
}

/// Which way a key turns the decisions: `,` and `.` those of all pods, `<` and `>` those of the same; and whether on.
fn turning(code: &str, key: &str) -> Option<(bool, bool)> {
    match (code, key) {
        (_, "<") => Some((true, false)),
        (_, ">") => Some((true, true)),
        (_, ",") | ("Comma", _) => Some((false, false)),
        (_, ".") | ("Period", _) => Some((false, true)),
        _ => None,
    }
}

impl App {
    pub(super) fn pressed(&mut self, context: &Context<Self>, code: &str, key: &str, place: Place) -> bool {
        if code == "Escape" || key == "Escape" {
            self.chord = false;
            return place != Place::Editor && self.step_back(context, place);
        }
        if place == Place::Field {
            return self.desk.held().is_some() && self.reduce(context, Action::Step(key == "ArrowRight"));
        }
        let character = key.chars().count() == 1 && key != " ";
        if character && !self.settings.letters {
            return false;
        }
        if std::mem::take(&mut self.chord) {
            self.go_to(code);
            return true;
        }
        if self.decision
            && let Some((of_pod, forward)) = turning(code, key)
        {
            let fact = self.next_decision(of_pod, forward);
            let turned = fact.is_some_and(|fact| self.reduce(context, Action::Look(fact)));
            self.aim = turned.then_some(CELL);
            return turned;
        }
        let action = match (code, key) {
            (_, "?") => Action::Open(if self.panel == Some(Panel::Keys) { None } else { Some(Panel::Keys) }),
            (_, "/") => {
                self.show_work(Work::Terminal);
                self.aim = Some(COMMAND);
                return true;
            }
            (_, "+") | ("Equal" | "NumpadAdd", _) => Action::Zoom(Zoom::In),
            (_, "-") | ("NumpadSubtract", _) => Action::Zoom(Zoom::Out),
            ("Digit0" | "Numpad0", _) => Action::Zoom(Zoom::Fit),
            ("Digit1" | "Numpad1", _) => Action::Zoom(Zoom::Full),
            ("KeyG", _) => {
                self.chord = true;
                return false;
            }
            ("Enter" | "NumpadEnter", _) if self.selected.is_some() => Action::Inspect,
            ("Space", _) => Action::PlayPause,
            ("ArrowRight" | "Period", _) => Action::Step(true),
            ("ArrowLeft" | "Comma", _) => Action::Step(false),
            ("KeyB", _) => Action::Open(Some(Panel::Branches)),
            ("KeyF", _) => Action::Open(Some(Panel::Find)),
            ("KeyU", _) => Action::Undo,
            ("KeyH", _) => Action::Hint,
            ("KeyW", _) => {
                self.show_inspector(Tab::Why);
                Action::Decision(!self.decision)
            }
            ("KeyT", _) => {
                self.choose_ends();
                return true;
            }
            ("KeyP", _) => {
                self.hidden.retain(|pane| *pane != Pane::Lesson);
                self.sheet = Sheet::Goals;
                // The question that is open: the last one, once those of the quiz are there.
                self.aim = Some(Aim::First(
                    ".predict:not(:has(.after)) :is([role=radio][tabindex='0'], input, .sort .card)",
                ));
                return true;
            }
            ("BracketLeft", _) => Action::Toggle(Pane::Lesson),
            ("BracketRight", _) => Action::Toggle(Pane::Inspector),
            ("Backslash", _) => Action::Toggle(Pane::Work),
            _ => return false,
        };
        self.reduce(context, action)
    }

    /// The decision before or after the one that is shown: of all, or of the same pod.
    fn next_decision(&self, of_pod: bool, forward: bool) -> Option<u64> {
        let table = crate::screen::lab::decision(self)?;
        let of_all = || table.turn.map_or((None, None), |it| (it.before, it.after));
        let (before, after) = if of_pod { table.other_attempts() } else { of_all() };
        if forward { after } else { before }
    }

    /// One step back: what lies over the page, then what lies over the scene, then the scene itself, then the selection.
    fn step_back(&mut self, context: &Context<Self>, place: Place) -> bool {
        if self.panel.take().is_some() || self.close_decision() {
            focus("outline");
        } else if place != Place::Scene {
            focus("outline");
            return false;
        } else {
            self.picking = false;
            return self.reduce(context, Action::Select(None));
        }
        true
    }

    /// The second key after `g`.
    fn go_to(&mut self, code: &str) {
        match code {
            "KeyL" => {
                self.hidden.retain(|pane| *pane != Pane::Lesson);
                self.sheet = Sheet::Goals;
                self.aim = Some(Aim::First("#lesson [tabindex='0'], .strip, .act"));
            }
            "KeyS" => focus("outline"),
            "KeyI" => {
                self.show_inspector(self.tab);
                self.aim = Some(Aim::First("#inspector [role=tab][aria-selected=true]"));
            }
            "KeyE" => {
                self.show_work(Work::Editor);
                self.aim = Some(Aim::Editor);
            }
            "KeyT" => {
                self.show_work(Work::Terminal);
                self.aim = Some(COMMAND);
            }
            "KeyN" => {
                self.sheet = if self.width == Width::Phone { Sheet::Time } else { self.sheet };
                self.aim = Some(Aim::First("#timeline [role=slider]"));
            }
            _ => {}
        }
    }

    fn show_work(&mut self, work: Work) {
        self.work = work;
        self.sheet = Sheet::Act;
        self.hidden.retain(|pane| *pane != Pane::Work);
    }

    fn show_inspector(&mut self, tab: Tab) {
        self.tab = tab;
        self.sheet = if self.width == Width::Phone { Sheet::Why } else { self.sheet };
        self.hidden.retain(|pane| *pane != Pane::Inspector);
    }

    /// `t`: what is selected is where the path begins; the next two picks, or the form, say the rest.
    fn choose_ends(&mut self) {
        self.show_inspector(Tab::Path);
        self.picking = true;
        self.ends = Default::default();
        if let Some(end) = self.selected.as_deref().and_then(lab::view::path::said) {
            self.ends.0 = end;
        }
        self.aim = Some(Aim::First("#inspector .ends select"));
    }

    /// Moves the focus to where it was meant to go, now that it is drawn.
    pub(super) fn take_aim(&mut self) {
        match self.aim.take() {
            None => {}
            Some(Aim::Editor) => crate::pane::editor::focus(),
            Some(Aim::First(selector)) => focus_first(selector),
        }
    }
}
