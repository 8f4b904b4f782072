//! The session as the page holds it: what is asked of it, what the terminal shows, and the moment that is seen.
//!
//! Commands happen at the head of time. What they led to is then played beat by beat, in the order of the facts; the
//! picture is always that of one moment of the session, never something in between.

mod batch;
mod beginning;
mod decision;
mod request;
mod story;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use api::{SimDuration, SimTime, asset::Asset, k8s::core::v1::Pod};
use cluster::{ClusterId, What, World, request::Stage};
use lab::{
    LineResult, Session,
    library::Book,
    link::Shared,
    view::{
        Moment,
        attempts::placed,
        beats::Beat,
        feed::{FeedGroup, feed},
        lesson::asks_for,
        names::{self, Piece},
        path::{PathView, path},
        pool,
        request::telling,
        scene::{Form, Scene, scene},
        timeline::{Timeline, timeline},
        why::{self, Why},
    },
    words::Lang,
};
use scheduler::{Decision, Outcome};
use shell::{Hint, Stream};

use batch::Batch;
pub use beginning::Trouble;
use story::Story;

use crate::settings::{self, Storage};

/// How long the world plays on after a command of the page, at most.
const REST: SimDuration = SimDuration::secs(120);
/// Most entries that the terminal keeps.
const MOST_ENTRIES: usize = 300;
/// Most bytes of one output that are shown.
const MOST_OUTPUT: usize = 64 << 10;
/// What `kubectl edit` says when nothing was changed.
const CANCELLED: &str = "Edit cancelled, no changes made.\n";
/// Longest text of the editor that is kept while it is written, in bytes.
const LONGEST_DRAFT: usize = 256 << 10;

/// One entry of the terminal.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// What was typed, and the request that says most of what it asked.
    Typed(String, Option<Told>),
    /// What was printed.
    Printed(Stream, Vec<Piece>),
    /// What the page adds.
    Remark(Remark),
}

/// The requests of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The fact that is the one which says most.
    pub seq: u64,
    /// How many there are.
    pub count: usize,
    /// Where that one stopped.
    pub stopped: Option<Stage>,
}

/// What the page adds to an output.
#[derive(Clone, Debug, PartialEq)]
pub enum Remark {
    /// The nearest commands or flags.
    Nearest(Vec<String>),
    /// The real tool has it, the lab does not.
    NotSimulated(String),
    /// The manifest lost its indentation: its name and how it probably was.
    Reindent(String, String),
    /// A limit of the lab.
    Stopped(String),
    /// The editor shows what this command edits.
    Editing(String),
    /// The text was too long.
    TooLong,
    /// A line was taken back.
    Undone(String),
    /// Another future is lived in now.
    Branch(String),
    /// A text that a line prints did not come: nothing of it was done.
    NotBrought,
}

/// The session of the page.
pub struct Desk {
    session: Session,
    book: Option<Book>,
    /// The world that is seen.
    seen: World,
    /// Its moment: the head unless something is played or one looks back.
    pub at: SimTime,
    story: Option<Story>,
    /// The beat that is told now.
    pub beat: Option<Beat>,
    /// Every beat of the last story, for captions.
    pub told: Vec<Beat>,
    /// The world before its first beat.
    before: Option<World>,
    /// How many of them were ever told.
    furthest: usize,
    /// How fast stories are told; 1 is full speed.
    pub speed: f64,
    /// Whether a story waits before each of its beats.
    pub stepping: bool,
    /// What the terminal shows.
    pub entries: Vec<Entry>,
    /// What was typed, for going back.
    pub history: Vec<String>,
    /// What was typed so far of an open here-document.
    pub open: String,
    /// What went wrong when this was opened.
    pub trouble: Option<Trouble>,
    /// Under which name it is kept, if it is.
    name: Option<String>,
    /// What the browser said when it was last asked to keep something.
    pub storage: Option<Storage>,
    /// A decision as it was told, and explained in full: the one that was looked at last.
    explained: RefCell<Option<(Rc<Decision>, Rc<Decision>)>>,
    /// A decision as it was told, and the world in which it was made: the one that was asked about last.
    made_in: RefCell<Option<(Rc<Decision>, World)>>,
    /// Lines that wait to be run.
    batch: Option<Batch>,
    /// The text without which it cannot go on.
    misses: Option<&'static Asset>,
    /// A session that cannot be brought back without that text: nothing happens before it is.
    late: Option<Shared>,
    /// Where the last command's entries begin.
    fresh: usize,
    /// What the last command complained about first.
    complaint: Option<String>,
    /// What a command asked the editor for: the command that saves it, and the text.
    asked_editor: Option<(String, String)>,
    /// What a command pointed at, as the scene calls it.
    asked_selection: Option<String>,
    /// The last path asked for.
    pub path: Option<Rc<PathView>>,
    /// Its number, so that the packet sets out again.
    pub paths: u64,
}

/// The slug of the lesson that the first screen is.
pub const FIRST: &str = "sixty-seconds";

impl Desk {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The lesson, if one is open.
    #[must_use]
    pub fn book(&self) -> Option<&Book> {
        self.book.as_ref()
    }

    /// The moment that is seen.
    #[must_use]
    pub fn moment(&self) -> Moment<'_> {
        Moment::of(&self.seen)
    }

    /// The world at the moment that is seen.
    #[must_use]
    pub fn seen(&self) -> &World {
        &self.seen
    }

    /// The cluster that is seen: the newest one of this world.
    #[must_use]
    pub fn cluster(&self) -> ClusterId {
        let planes = self.seen.store().list::<api::kinds::sim::ControlPlane>(ClusterId::WORLD, None);
        ClusterId(planes.map(|plane| plane.id).max().unwrap_or(1))
    }

    /// The picture of the moment that is seen.
    #[must_use]
    pub fn scene(&self, form: Form, focus: Option<&str>) -> Scene {
        let mut scene = scene(self.moment(), self.cluster(), form, focus);
        if let Some(band) = scene.control_plane.as_mut().filter(|band| band.door.pending > 0) {
            let misfit = self.decided(None).filter(|d| d.outcome == Outcome::Unschedulable);
            band.last_misfit = misfit.map(|d| (0, d.nodes.len()));
        }
        scene
    }

    fn follow_paths(&mut self, from: usize) {
        let facts = self.session.facts();
        let traced = facts.iter().skip(from).filter_map(|fact| match &fact.what {
            What::Traced(traced) => Some(Rc::clone(traced)),
            _ => None,
        });
        if let Some(traced) = traced.last() {
            self.path = Some(Rc::new(path(self.session.world(), self.cluster(), &traced)));
            self.paths += 1;
        }
    }

    /// Prints a line and its output; its facts are those from `first` on.
    fn print(&mut self, line: &str, first: usize, result: LineResult) {
        self.history.push(line.to_owned());
        let told = telling(self.session.facts().iter().skip(first));
        let told = told.map(|(seq, count, stopped)| Told { seq, count, stopped });
        self.entries.push(Entry::Typed(line.to_owned(), told));
        if result.exit != 0 {
            let said = result.output.chunks.iter().find(|(stream, _)| *stream == Stream::Err);
            let first = said.and_then(|(_, text)| text.lines().next());
            self.complaint = self.complaint.take().or(first.map(str::to_owned));
        }
        let world = self.session.world();
        let cluster = self.cluster();
        let names = names::names(world.store(), cluster);
        let opens = result.output.hints.iter().any(|hint| matches!(hint, Hint::Editor { .. }));
        for (stream, mut text) in result.output.chunks {
            if opens && text == CANCELLED {
                continue;
            }
            if text.len() > MOST_OUTPUT {
                let mut end = MOST_OUTPUT;
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
                text.push_str("\n…\n");
            }
            // Tools talk on standard error when all is well, too.
            let stream = if result.exit == 0 { Stream::Out } else { stream };
            self.entries.push(Entry::Printed(stream, names::pieces(&text, &names)));
        }
        let told = |hint: &Hint| !matches!(hint, Hint::UnknownCommand { nearest, .. } | Hint::UnknownFlag { nearest, .. } if nearest.is_empty());
        for hint in result.output.hints.into_iter().filter(told) {
            self.entries.push(Entry::Remark(match hint {
                Hint::UnknownCommand { nearest, .. } | Hint::UnknownFlag { nearest, .. } => {
                    Remark::Nearest(nearest)
                }
                Hint::NotSimulated { what } => Remark::NotSimulated(what),
                Hint::Reindent { name, text } => Remark::Reindent(name, text),
                Hint::Select { object } => {
                    self.asked_selection = names::called(self.session.world().store(), cluster, &object);
                    continue;
                }
                Hint::Stopped { limit } => Remark::Stopped(limit),
                Hint::Editor { command, text } => {
                    self.asked_editor = Some((command.clone(), text));
                    Remark::Editing(command)
                }
            }));
        }
        let spare = self.entries.len().saturating_sub(MOST_ENTRIES);
        self.entries.drain(..spare);
        self.fresh = self.fresh.saturating_sub(spare);
    }

    /// The lanes.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        timeline(self.session.facts().iter(), self.session.lines(), self.session.head())
    }

    /// The feed up to the moment that is seen; of one thing, or of all.
    #[must_use]
    pub fn feed(&self, only: Option<&str>) -> Vec<FeedGroup> {
        feed(self.session.facts().iter(), self.session.lines(), self.at, only)
    }

    /// Why the thing with this id is as it is, at the moment that is seen.
    #[must_use]
    pub fn why(&self, id: &str) -> Option<Why> {
        let decided = self.decided(Some(id));
        let mut why = why::why(self.moment(), self.cluster(), id, decided.as_deref())?;
        if let Why::Pod(about) = &mut why {
            let pod = self.moment().store.get::<Pod>(self.cluster(), &about.namespace, &about.name);
            let facts = self.session.facts().iter().rev();
            about.placed = pod.and_then(|pod| placed(pod, decided.as_deref(), facts));
        }
        if let Why::Node(node) = &mut why
            && let Some(pool) = &mut node.pool
        {
            let first = self.session.lines().first().map(|line| line.at);
            pool.history = first.and_then(|since| {
                pool::history(self.moment(), self.cluster(), &node.name, since, self.session.facts().iter())
            });
        }
        Some(why)
    }

    /// Shows the end of what has happened.
    pub fn look_at_head(&mut self) {
        self.story = None;
        self.beat = None;
        self.furthest = self.told.len();
        self.at = self.session.head();
        self.seen = self.session.world().clone();
    }

    /// Shows a moment.
    pub fn seek(&mut self, at: SimTime) {
        self.story = None;
        self.beat = None;
        self.at = at.min(self.session.head());
        self.seen = self.session.seek(self.at).clone();
    }

    /// The learner's manifests, by name.
    #[must_use]
    pub fn yaml_files(&self) -> Vec<(String, String)> {
        self.session
            .machine()
            .files
            .iter()
            .filter(|(name, _)| name.ends_with(".yaml") || name.ends_with(".yml"))
            .map(|(name, text)| (name.rsplit('/').next().unwrap_or(name).to_owned(), text.to_owned()))
            .collect()
    }

    /// Everything that can be an end of a path now.
    #[must_use]
    pub fn ends(&self) -> Vec<String> {
        lab::view::path::ends(&self.seen, self.cluster())
    }

    /// Whether a goal that is not met asks that something be selected.
    #[must_use]
    pub fn asks_for_selection(&self) -> bool {
        let (Some(book), Some(progress)) = (&self.book, self.session.progress()) else { return false };
        asks_for(book, progress, "select")
    }

    /// Takes the last command back: its entries go, and one line says so.
    pub fn undo(&mut self) -> Option<String> {
        self.stop();
        let line = self.session.lines().last().map(|line| line.text.clone())?;
        self.session.undo();
        self.told.clear();
        self.entries.push(Entry::Remark(Remark::Undone(line.clone())));
        self.look_at_head();
        self.keep();
        Some(line)
    }

    /// Does it again.
    pub fn redo(&mut self, now: f64) {
        self.stop();
        self.begin_output();
        let before = self.session.world().clone();
        let first = self.session.facts().len();
        let line = self.session.lines().len();
        if let Some(result) = self.session.redo() {
            let text = self.session.lines().get(line).map(|l| l.text.clone()).unwrap_or_default();
            self.print(&text, first, result);
            self.follow_paths(first);
            self.come_to_rest();
            self.tell(before, first, now);
            self.keep();
        }
    }

    /// Lives on in a future that was left; the present one is left for it.
    pub fn switch(&mut self, index: usize) {
        self.stop();
        if self.session.switch(index) {
            self.told.clear();
            self.entries.push(Entry::Remark(Remark::Branch(self.session.branches().0.to_owned())));
            self.look_at_head();
            self.keep();
        }
    }

    /// Whether there is something to take back, and to do again.
    #[must_use]
    pub fn can_undo_redo(&self) -> (bool, bool) {
        self.session.can_undo_redo()
    }

    /// Number and name of what is open.
    #[must_use]
    pub fn title(&self, lang: Lang) -> (Option<String>, String) {
        match &self.book {
            Some(book) => {
                let title = lab::view::lesson::prose(book, lang).title.clone();
                (Some(book.lesson.number()), title)
            }
            None if self.session.scenario().name.is_empty() => (None, lang.ui().sandbox.to_owned()),
            None => (None, self.session.scenario().name.clone()),
        }
    }

    /// What the last command printed, and what the page added to it.
    #[must_use]
    pub fn outcome(&self) -> &[Entry] {
        self.entries.get(self.fresh..).unwrap_or_default()
    }

    /// The first thing that the last command complained about, if it failed; once.
    pub fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    /// What the last command asked the editor for; once.
    pub fn asked_editor(&mut self) -> Option<(String, String)> {
        self.asked_editor.take()
    }

    /// What the last command pointed at; once.
    pub fn asked_selection(&mut self) -> Option<String> {
        self.asked_selection.take()
    }

    /// The editor was closed without saving.
    pub fn close_editor(&mut self) {
        self.begin_output();
        self.entries.push(Entry::Printed(Stream::Err, names::pieces(CANCELLED, &BTreeMap::new())));
    }

    fn begin_output(&mut self) {
        self.fresh = self.entries.len();
        self.complaint = None;
    }

    /// Says that a text is too long to be taken. Nothing else happens.
    pub fn refuse(&mut self) {
        self.begin_output();
        self.entries.push(Entry::Remark(Remark::TooLong));
    }

    /// Keeps the session in this browser.
    fn keep(&mut self) {
        // What is kept stays as it is until it could be brought back.
        if let Some(name) = self.name.as_ref().filter(|_| self.late.is_none()) {
            self.storage = Some(settings::keep(&format!("session.{name}"), &self.session.link()));
        }
    }

    /// Keeps the text of the editor, as far as there is room for it.
    pub fn keep_draft(&mut self, file: &str, text: &str) {
        let Some(name) = &self.name else { return };
        let name = format!("draft.{name}");
        if text.len() <= LONGEST_DRAFT {
            self.storage = Some(settings::keep(&name, &format!("{file}\n{text}")));
        } else {
            settings::forget(&name);
        }
    }

    /// The editor's file and text as they were kept.
    #[must_use]
    pub fn draft(&self) -> Option<(String, String)> {
        let kept = settings::kept(&format!("draft.{}", self.name.as_ref()?))?;
        kept.split_once('\n').map(|(file, text)| (file.to_owned(), text.to_owned()))
    }
}
