//! The page's one state, and the one way to change it.
//!
//! Every control sends an [`Action`]; [`App`] changes; all panes are drawn from what it then is.

mod action;
mod announce;
mod assets;
mod branch;
mod edit;
mod file;
mod imagine;
pub mod import;
mod keys;
mod look;
mod select;

use std::{collections::BTreeMap, rc::Rc};

use api::{Diagnostic, SimTime, diagnose::Purpose};
use gloo::{
    events::{EventListener, EventListenerOptions},
    timers::callback::Timeout,
};
use lab::{
    lesson::progress::Standing,
    view::{
        self,
        lesson::standings,
        scene::{self, Form, Scene},
    },
    words::fill,
};
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;
use yew::{Callback, Component, Context, Html, html};

pub use action::{Action, Pane, Panel, Sheet, Tab, Width, Work, Zoom};
use announce::Announcer;
pub use edit::Editing;
pub use look::Looked;

use crate::{
    clock::{self, Tick},
    crash,
    desk::Desk,
    dom::{focus, focus_first, nothing_focused, scroll_down, window_width},
    route::{Address, Route},
    screen,
    settings::{self, Settings},
    widget,
};

/// The page.
pub struct App {
    /// Where we are.
    pub address: Address,
    /// Language, light, motion, storage.
    pub settings: Settings,
    /// The session, as the page holds it.
    pub desk: Desk,
    /// Id of the selection.
    pub selected: Option<String>,
    /// The inspector's tab.
    pub tab: Tab,
    /// What the work area shows.
    pub work: Work,
    /// The sheet's tab.
    pub sheet: Sheet,
    /// Hidden panes.
    pub hidden: Vec<Pane>,
    /// How wide the page is.
    pub width: Width,
    /// Whether the decision table is open.
    pub decision: bool,
    /// The decision that was turned to with the table's arrows, if one was.
    pub looked: Option<Looked>,
    /// Edits that are imagined beside it.
    pub tried: Vec<scheduler::what_if::Edit>,
    /// What is imagined of the nodes, if something is.
    imagined: Option<imagine::Imagined>,
    /// The term of a node's formula that is pointed at.
    pub pointed: Option<(String, view::pool::Term)>,
    /// The small window that is open.
    pub panel: Option<Panel>,
    /// The ends of a path that is being chosen, as `lab trace` calls them.
    pub ends: (String, String),
    /// How the picture was last asked to be looked at, and the number of that.
    pub zoom: (u32, Zoom),
    /// What was last typed into the terminal by the page, and its number.
    pub typed: (u32, String),
    /// A character that a key of the page puts into the command line, and its number.
    pub inserted: (u32, &'static str),
    /// The file in the editor.
    pub file: String,
    /// Its text, and a number that changes when the page writes it.
    pub text: (u32, String),
    /// What is wrong with it.
    pub diagnostics: Rc<Vec<Diagnostic>>,
    /// What it is for.
    pub purpose: Purpose,
    /// Hints shown.
    pub hints: usize,
    /// What went wrong with the learner's own command, for readers at once.
    pub alarm: String,
    /// A link to the session, and whether it is in the clipboard.
    pub link: Option<(String, bool)>,
    /// The object that `kubectl edit` has opened in the editor, if it has.
    pub editing: Option<Editing>,
    /// Texts of other files that were changed and not applied.
    unsaved: BTreeMap<String, String>,
    voice: Announcer,
    speaks: Option<Timeout>,
    goal_before: usize,
    pods_before: view::outline::Census,
    shown_facts: usize,
    chord: bool,
    /// Whether the ends of a path are being chosen.
    pub picking: bool,
    /// Names of texts that are being fetched.
    on_their_way: Vec<&'static str>,
    aim: Option<keys::Aim>,
    tick: Option<Tick>,
    listeners: Vec<EventListener>,
}

impl App {
    /// Short texts in the page's language.
    #[must_use]
    pub fn ui(&self) -> &'static lab::words::Ui {
        self.settings.lang.ui()
    }

    /// The picture of what is shown now.
    #[must_use]
    pub fn scene(&self) -> Rc<Scene> {
        let form = if self.width == Width::Phone { Form::Phone } else { Form::Desk };
        let focus = self.selected.as_deref().and_then(|id| id.strip_prefix("Node/"));
        Rc::new(match self.imagined().map(|it| &it.found) {
            Some(Ok(then)) => scene::imagined(self.desk.moment(), self.desk.cluster(), form, focus, then),
            Some(Err(_)) | None => self.desk.scene(form, focus),
        })
    }

    /// Whether a pane is hidden.
    #[must_use]
    pub fn hides(&self, pane: Pane) -> bool {
        self.hidden.contains(&pane)
    }

    fn open(&mut self, address: Address) {
        if address.route != self.address.route {
            self.desk = Desk::open(&address.route);
            self.decision = false;
            self.looked = None;
            self.tried.clear();
            self.hints = 0;
            self.voice.clear();
            self.alarm.clear();
            self.link = None;
            self.panel = None;
            self.tab = Tab::Why;
            self.picking = false;
            self.ends = Default::default();
            self.begin(&address.route);
        }
        if let Some(secs) = address.query.get("t").and_then(|t| t.parse::<u64>().ok()) {
            self.desk.seek(SimTime(secs.saturating_mul(1000)));
        }
        self.address = address;
    }

    /// What a page shows of a session that was just opened.
    fn begin(&mut self, route: &Route) {
        self.selected = self.first_selection();
        if self.width == Width::Tablet {
            self.hidden.push(Pane::Inspector);
        }
        self.unsaved.clear();
        self.editing = None;
        self.load_file();
        self.goal_before = self.met();
        self.pods_before = self.census();
        self.first_line(route);
        crash::remember(&self.link_address());
    }

    fn first_selection(&self) -> Option<String> {
        let wanted = self.desk.book().and_then(|book| book.lesson.ui.select.clone())?;
        wanted.starts_with("Node/").then_some(wanted)
    }

    /// Lesson 00 begins with its one command typed.
    fn first_line(&mut self, route: &Route) {
        let first = matches!(route, Route::Lesson(slug) if slug == crate::desk::FIRST);
        if first && self.desk.session().lines().is_empty() {
            self.typed = (self.typed.0 + 1, "kubectl apply -f pod.yaml".to_owned());
        }
    }

    fn met(&self) -> usize {
        let standings = self.desk.session().progress().map(|it| standings(it, self.desk.ahead()));
        standings.map_or(0, |all| all.into_iter().filter(|it| *it == Standing::Met).count())
    }

    fn census(&self) -> view::outline::Census {
        view::outline::census(&self.desk.scene(Form::Desk, None))
    }

    /// Says something to readers, now or soon.
    fn say(&mut self, context: &Context<Self>, message: impl Into<String>) {
        let wait = self.voice.say(message, clock::now());
        self.speak_in(context, wait);
    }

    fn speak_in(&mut self, context: &Context<Self>, wait: Option<f64>) {
        self.speaks = wait.map(|wait| {
            let link = context.link().clone();
            Timeout::new(wait.ceil() as u32, move || link.send_message(Action::Announce))
        });
    }

    fn say_goals(&mut self, context: &Context<Self>) {
        let met = self.met();
        if met > self.goal_before {
            let all = self.desk.book().map_or(0, |book| book.lesson.goals.len());
            self.say(context, format!("{} {met}/{all}", self.ui().goals));
            self.hints = 0;
        }
        self.goal_before = met;
    }

    /// Says how many pods run and wait, once that has changed and nothing is told any more.
    fn say_pods(&mut self, context: &Context<Self>) {
        let now = self.census();
        if !self.desk.telling() && now != self.pods_before {
            self.pods_before = now;
            self.say(context, self.settings.lang.census(now));
        }
    }

    fn run(&mut self, context: &Context<Self>, text: &str) {
        let first = self.desk.paths;
        self.link = None;
        self.alarm.clear();
        if let Some(branch) = self.desk.run(text, clock::now) {
            self.say(context, fill(self.ui().branch_opened, branch));
        }
        self.after(context, first);
    }

    /// What the page does after lines have run; `paths` is the number of paths before them.
    fn after(&mut self, context: &Context<Self>, paths: u64) {
        self.looked = None;
        self.say_goals(context);
        if let Some(id) = self.desk.asked_selection().filter(|id| self.selected.as_ref() != Some(id)) {
            self.show_selected(id);
        }
        if let Some((command, text)) = self.desk.asked_editor() {
            self.begin_editing(command, text);
        }
        if let Some(complaint) = self.desk.complaint() {
            self.alarm = complaint;
        }
        if self.settings.calm && !self.desk.stepping && !self.desk.busy() {
            // Nothing travels: the end is shown at once, with rings and captions.
            self.desk.look_at_head();
            self.say_pods(context);
        }
        if self.desk.paths != paths {
            self.tab = Tab::Path;
        }
        self.settings.storage = self.desk.storage.unwrap_or(self.settings.storage);
        crash::remember(&self.link_address());
        self.play(context);
    }

    fn reduce(&mut self, context: &Context<Self>, action: Action) -> bool {
        match action {
            Action::Went(address) => self.open(address),
            Action::Go(route) => {
                // The listener hears of the change and opens the page.
                let _ = gloo::utils::window().location().set_hash(&route.hash());
                return false;
            }
            Action::Speak(lang) => {
                self.settings.lang = lang;
                self.settings.show();
                self.settings.store();
                crash::speak(self.ui());
            }
            Action::Light => {
                self.settings.theme = self.settings.theme.other();
                self.settings.show();
                self.settings.store();
            }
            Action::Select(id) => self.select(context, id),
            Action::Inspect => {
                self.hidden.retain(|p| *p != Pane::Inspector);
                self.tab = Tab::Why;
                focus("inspector");
            }
            Action::Found(id) => {
                self.panel = None;
                let wanted = !self.picking;
                self.select(context, Some(id));
                if wanted {
                    return self.reduce(context, Action::Inspect);
                }
            }
            Action::Tab(tab) => self.tab = tab,
            Action::Work(work) => self.work = work,
            Action::Sheet(sheet) => self.sheet = sheet,
            Action::Toggle(pane) => match self.hidden.iter().position(|p| *p == pane) {
                Some(at) => drop(self.hidden.remove(at)),
                None => self.hidden.push(pane),
            },
            Action::Decision(open) => {
                self.close_decision();
                self.decision = open;
                self.aim = open.then_some(keys::Aim::First("#decision .cell[tabindex='0']"));
            }
            Action::Look(fact) => self.look(context, fact),
            Action::Try(edits) => self.tried = edits,
            Action::Imagine(change) => self.imagine(change),
            Action::Point(term) if self.pointed == term => return false,
            Action::Point(term) => self.pointed = term,
            Action::InBranch(lines) => self.run_in_branch(context, &lines),
            Action::Open(panel) => {
                self.panel = panel;
                self.aim = panel.map(|_| keys::Aim::First(".panel input, .panel button"));
            }
            Action::Pressed(code, key, place) => return self.pressed(context, &code, &key, place),
            Action::Letters(wanted) => {
                self.settings.letters = wanted;
                self.settings.store();
            }
            Action::Zoom(zoom) => self.zoom = (self.zoom.0 + 1, zoom),
            Action::Resized(pixels) => {
                let width = Width::of(pixels);
                if width == self.width {
                    return false;
                }
                self.width = width;
            }
            Action::Run(text) => {
                // What was typed for the learner is done with: a terminal that is shown later must not begin with it.
                self.typed.1.clear();
                self.run(context, &text);
            }
            Action::Insert(symbol) => self.inserted = (self.inserted.0 + 1, symbol),
            Action::Type(text) => {
                self.work = Work::Terminal;
                self.sheet = Sheet::Act;
                self.hidden.retain(|p| *p != Pane::Work);
                self.typed = (self.typed.0 + 1, text);
            }
            Action::File(name) => self.look_into(&name),
            Action::Edit(name, text) => {
                self.write(if name == "STDIN" { "pod.yaml".to_owned() } else { name }, text);
                self.work = Work::Editor;
            }
            Action::Edited(text) => {
                if text == self.text.1 {
                    return false;
                }
                self.text.1 = text;
                if self.editing.is_none() {
                    self.desk.keep_draft(&self.file, &self.text.1);
                    self.settings.storage = self.desk.storage.unwrap_or(self.settings.storage);
                }
                self.check();
            }
            Action::Apply if self.editing.is_some() => self.save_edited(context),
            Action::Apply if self.purpose != Purpose::Config => self.apply(context),
            Action::Apply | Action::SaveFile => self.save_file(context),
            Action::CloseEditor => {
                self.desk.close_editor();
                self.end_editing();
            }
            Action::TooLong => self.desk.refuse(),
            Action::Announce => {
                let wait = self.voice.due(clock::now());
                self.speak_in(context, wait);
            }
            Action::GoOn => {
                self.tick = None;
                let paths = self.desk.paths;
                self.desk.go_on(clock::now);
                self.after(context, paths);
            }
            Action::Want(asset) => {
                self.bring(context, asset);
                return false;
            }
            Action::Brought(name, there) => {
                self.on_their_way.retain(|it| *it != name);
                if self.desk.misses().is_none_or(|it| it.name != name) {
                    return false;
                }
                let paths = self.desk.paths;
                self.desk.brought(there, clock::now);
                self.after(context, paths);
            }
            Action::Stop => {
                self.desk.stop();
                self.after(context, self.desk.paths);
            }
            Action::Interrupt => {
                self.desk.open.clear();
                return if self.desk.busy() { self.reduce(context, Action::Stop) } else { true };
            }
            Action::Branch(index) => {
                self.panel = None;
                self.desk.switch(index);
                self.after(context, self.desk.paths);
            }
            Action::End(true, end) => self.ends.0 = end,
            Action::End(false, end) => self.ends.1 = end,
            Action::Trace(port) => self.trace(context, &port),
            Action::Undo => {
                self.looked = None;
                if let Some(line) = self.desk.undo() {
                    let line = line.lines().next().unwrap_or_default();
                    self.say(context, fill(self.ui().back_before, line));
                }
                self.goal_before = self.met();
                self.pods_before = self.census();
                crash::remember(&self.link_address());
            }
            Action::Redo => {
                let paths = self.desk.paths;
                self.desk.redo(clock::now());
                self.after(context, paths);
            }
            Action::Answer(id, value) => self.run(context, &format!("lab answer {id} {value}")),
            Action::Import(files) => self.import(context, &files),
            Action::Explain(cause, evidence) => {
                self.run(context, &format!("lab explain {cause} {evidence}"));
            }
            Action::Hint => self.hints += 1,
            Action::Solution => self.solution(),
            Action::Share => self.share(context),
            Action::Shared(copied) => {
                if let Some(link) = &mut self.link {
                    link.1 = copied;
                }
                self.say(context, if copied { self.ui().copied } else { self.ui().copy_by_hand });
            }
            Action::Seek(at) => {
                self.looked = None;
                self.desk.seek(at);
            }
            Action::Step(forward) => {
                self.looked = None;
                self.desk.step(forward);
                self.follow_step();
                self.say_goals(context);
            }
            Action::PlayPause => {
                self.looked = None;
                if self.desk.playing() {
                    self.desk.pause();
                } else {
                    self.desk.play(clock::now());
                    self.play(context);
                }
            }
            Action::Speed(speed) => {
                self.desk.stepping = speed <= 0.0;
                self.desk.speed = if self.desk.stepping { self.desk.speed } else { speed };
            }
            Action::Frame(now) => {
                self.tick = None;
                let changed = self.desk.frame(now);
                if changed {
                    self.say_goals(context);
                    self.say_pods(context);
                }
                self.play(context);
                return changed;
            }
        }
        true
    }

    /// The address at which somebody else sees the same.
    fn link_address(&self) -> String {
        let href = gloo::utils::window().location().href().unwrap_or_default();
        let base = href.split('#').next().unwrap_or_default();
        format!("{base}{}", Route::Shared(self.desk.session().link()).hash())
    }

    fn share(&mut self, context: &Context<Self>) {
        let link = self.link_address();
        self.link = Some((link.clone(), false));
        let shared = context.link().callback(Action::Shared);
        wasm_bindgen_futures::spawn_local(async move {
            let clipboard = gloo::utils::window().navigator().clipboard();
            // Where there is no clipboard (no TLS, no permission) the link stands on the page instead.
            let copied = if clipboard.is_undefined() {
                false
            } else {
                wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&link)).await.is_ok()
            };
            shared.emit(copied);
        });
    }

    fn play(&mut self, context: &Context<Self>) {
        if self.tick.is_some() {
            return;
        }
        if self.desk.misses().is_some() {
            // It goes on when the text is here.
        } else if self.desk.busy() {
            self.tick = Some(clock::tick(context.link().callback(|_| Action::GoOn)));
        } else if self.desk.playing() {
            self.tick = Some(clock::tick(context.link().callback(Action::Frame)));
        }
    }
}

fn address() -> Address {
    let location = gloo::utils::window().location();
    Address::read(&location.search().unwrap_or_default(), &location.hash().unwrap_or_default())
}

impl Component for App {
    type Message = Action;
    type Properties = ();

    fn create(context: &Context<Self>) -> Self {
        let address = address();
        let settings = Settings::read(&address.query);
        settings.show();
        let window = gloo::utils::window();
        let went = context.link().callback(Action::Went);
        let resized = context.link().callback(Action::Resized);
        let send = context.link().callback(|action: Action| action);
        let pressed = move |event: &web_sys::Event| {
            if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
                keys::hear(event, &send);
            }
        };
        let listeners = vec![
            EventListener::new(&window, "hashchange", move |_| went.emit(self::address())),
            EventListener::new(&window, "resize", move |_| resized.emit(window_width())),
            EventListener::new_with_options(
                &window,
                "keydown",
                EventListenerOptions::enable_prevent_default(),
                pressed,
            ),
        ];
        let mut app = Self {
            desk: Desk::open(&address.route),
            address: address.clone(),
            settings,
            selected: None,
            tab: Tab::default(),
            work: Work::default(),
            sheet: Sheet::default(),
            hidden: Vec::new(),
            width: Width::of(window_width()),
            decision: false,
            looked: None,
            tried: Vec::new(),
            pointed: None,
            imagined: None,
            panel: None,
            ends: Default::default(),
            zoom: (0, Zoom::Fit),
            typed: (0, String::new()),
            inserted: (0, ""),
            file: String::new(),
            text: (0, String::new()),
            diagnostics: Rc::default(),
            purpose: Purpose::Objects,
            hints: 0,
            alarm: String::new(),
            link: None,
            editing: None,
            unsaved: BTreeMap::new(),
            voice: Announcer::default(),
            speaks: None,
            goal_before: 0,
            pods_before: Default::default(),
            shown_facts: usize::MAX,
            chord: false,
            picking: false,
            on_their_way: Vec::new(),
            aim: None,
            tick: None,
            listeners,
        };
        crash::speak(app.ui());
        app.begin(&address.route);
        app.open(address);
        app.bring_what_is_missed(context);
        app
    }

    fn update(&mut self, context: &Context<Self>, action: Action) -> bool {
        let changed = self.reduce(context, action);
        self.bring_what_is_missed(context);
        changed
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let send = context.link().callback(|action: Action| action);
        let page = match &self.address.route {
            Route::First => screen::first::first(self, &send),
            Route::Lessons => screen::lessons::lessons(self, &send),
            Route::Coverage => screen::coverage::coverage(self, &send),
            Route::Lesson(_)
            | Route::Incident(_)
            | Route::Sandbox
            | Route::World(_)
            | Route::Shared(_)
            | Route::Unknown(_) => screen::lab::lab(self, &send),
        };
        html! {
            <>
                {widget::sprite()}
                {page}
                <p class="vh" role="status" aria-live="polite" id="said">{self.voice.said().to_owned()}</p>
                <p class="vh" role="alert" id="alarm">{self.alarm.clone()}</p>
            </>
        }
    }

    fn rendered(&mut self, _context: &Context<Self>, first: bool) {
        if first {
            settings::mark_ready();
        }
        let entries = self.desk.session().facts().len();
        if entries != self.shown_facts {
            self.shown_facts = entries;
            settings::mark_digest(self.desk.session().digest());
            scroll_down(".work .feed");
        }
        // The first screen has one button, and Enter belongs to it.
        if self.address.route == Route::First && nothing_focused() {
            focus_first("#go");
        }
        self.take_aim();
    }

    fn destroy(&mut self, _context: &Context<Self>) {
        self.listeners.clear();
    }
}

/// A callback that sends one action.
pub fn on<E: 'static>(send: &Callback<Action>, action: impl Fn() -> Action + 'static) -> Callback<E> {
    let send = send.clone();
    Callback::from(move |_| send.emit(action()))
}

/// The element that an event came from.
pub fn target<T: JsCast>(event: &web_sys::Event) -> Option<T> {
    event.target().and_then(|target| target.dyn_into::<T>().ok())
}
