//! Everything that can happen to the page, and what it can show.

use api::{SimTime, asset::Asset};
use cluster::import::outlook::Change;
use lab::{view::pool::Term, words::Lang};
use scheduler::what_if::Edit;

use crate::{
    dom::Place,
    route::{Address, Route},
};

/// A pane that can be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// Goals and text.
    Lesson,
    /// What is selected.
    Inspector,
    /// Terminal and editor.
    Work,
}

/// A tab of the inspector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// One sentence and its chain.
    #[default]
    Why,
    /// Facts.
    State,
    /// The object.
    Yaml,
    /// What was said about it.
    Events,
    /// A packet's way.
    Path,
}

/// What the work area shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Work {
    /// The terminal.
    #[default]
    Terminal,
    /// The editor.
    Editor,
}

/// A tab of the sheet on a phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sheet {
    /// Goals.
    Goals,
    /// Commands.
    #[default]
    Act,
    /// The inspector.
    Why,
    /// The timeline.
    Time,
}

/// A small window over the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The list of keys.
    Keys,
    /// Finds a thing by its name or address.
    Find,
    /// The futures that were left.
    Branches,
}

/// How the picture is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zoom {
    /// All of it.
    Fit,
    /// At its own size.
    Full,
    /// One step larger.
    In,
    /// One step smaller.
    Out,
}

/// Everything that can happen to the page.
#[derive(Clone, Debug)]
pub enum Action {
    /// The address changed.
    Went(Address),
    /// Somebody wants to go there.
    Go(Route),
    /// The other language.
    Speak(Lang),
    /// The other light.
    Light,
    /// A thing in the scene, or nothing.
    Select(Option<String>),
    /// A term of a node's formula is pointed at, or none.
    Point(Option<(String, Term)>),
    /// The inspector for the selection.
    Inspect,
    /// A thing was searched for and found.
    Found(String),
    /// A tab of the inspector.
    Tab(Tab),
    /// What the work area shows.
    Work(Work),
    /// A tab of the sheet.
    Sheet(Sheet),
    /// Hides or shows a pane.
    Toggle(Pane),
    /// The decision table, or the scene again.
    Decision(bool),
    /// Another decision in the table: the fact that it is.
    Look(u64),
    /// Imagines these edits beside the decision, and no others.
    Try(Vec<Edit>),
    /// Imagines a change of the nodes; the default one is none.
    Imagine(Change),
    /// Opens a branch and runs lines there.
    InBranch(String),
    /// A small window over the page, or none.
    Open(Option<Panel>),
    /// A key was pressed: its place on the keyboard, what it means, and where the focus was.
    Pressed(String, String, Place),
    /// Whether single letters are shortcuts.
    Letters(bool),
    /// The window's width changed.
    Resized(f64),
    /// Runs one or many lines.
    Run(String),
    /// Types into the terminal without running.
    Type(String),
    /// Puts a character where the cursor of the command line is.
    Insert(&'static str),
    /// Another of the learner's files into the editor.
    File(String),
    /// Puts a text into the editor under a name.
    Edit(String, String),
    /// The editor's text changed.
    Edited(String),
    /// Applies the editor's text.
    Apply,
    /// Write what is in the editor into its file, and no more.
    SaveFile,
    /// Closes what `kubectl edit` has opened, without saving.
    CloseEditor,
    /// A text was too long to be taken.
    TooLong,
    /// What readers hear next is due.
    Announce,
    /// The next lines of a long paste are due.
    GoOn,
    /// The editor can do with a text that is not here.
    Want(&'static Asset),
    /// The text of this name was fetched, or could not be.
    Brought(&'static str, bool),
    /// Leaves the rest of a long paste undone.
    Stop,
    /// Ctrl+C in the terminal: forgets an open here-document, stops a long paste.
    Interrupt,
    /// Lives on in a future that was left.
    Branch(usize),
    /// One end of a path, from or to.
    End(bool, String),
    /// Follows a packet between the ends that were chosen, to this port if one is said.
    Trace(String),
    /// Larger, smaller, whole.
    Zoom(Zoom),
    /// Takes the last command back.
    Undo,
    /// Does it again.
    Redo,
    /// Stores an answer.
    Answer(String, String),
    /// Files of somebody's own cluster, by name and text.
    Import(Vec<(String, String)>),
    /// Names an incident's cause and the object that proves it.
    Explain(String, String),
    /// Shows the next hint.
    Hint,
    /// Types the next line of the solution.
    Solution,
    /// Copies a link to the session.
    Share,
    /// The link could not be put into the clipboard, or could.
    Shared(bool),
    /// Shows a moment.
    Seek(SimTime),
    /// One event on, or back.
    Step(bool),
    /// Plays or stops.
    PlayPause,
    /// How fast; 0 waits before each beat.
    Speed(f64),
    /// A frame passed.
    Frame(f64),
}

/// How wide the page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Everything side by side.
    Desk,
    /// Goals in a strip, the inspector over the scene.
    Tablet,
    /// A sheet below the scene.
    Phone,
}

impl Width {
    pub(super) fn of(pixels: f64) -> Self {
        match pixels {
            p if p < 700.0 => Width::Phone,
            p if p < 1100.0 => Width::Tablet,
            _ => Width::Desk,
        }
    }
}
