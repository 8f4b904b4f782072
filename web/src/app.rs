//! The page's one state, and the one way to change it.
//!
//! Every control sends an [`Action`]; [`App`] changes; all panes are drawn from what it then is.

use std::rc::Rc;

use api::{Diagnostic, SimTime};
use gloo::events::{EventListener, EventListenerOptions};
use lab::{
    script,
    view::scene::{Form, Scene},
    words::{Lang, fill},
};
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;
use yew::{Callback, Component, Context, Html, html};

use crate::{
    clock::{self, Tick},
    desk::Desk,
    dom::{focus, focus_first, scroll_down, typing, window_width},
    pane::terminal,
    route::{Address, Route},
    screen,
    settings::{self, Settings},
    widget,
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
    /// The inspector for the selection.
    Inspect,
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
    /// The list of keys.
    Keys(bool),
    /// A key was pressed outside a text field.
    Pressed(String, String),
    /// The window's width changed.
    Resized(f64),
    /// Runs one or many lines.
    Run(String),
    /// Types into the terminal without running.
    Type(String),
    /// Puts a text into the editor under a name.
    Edit(String, String),
    /// The editor's text changed.
    Edited(String),
    /// Applies the editor's text.
    Apply,
    /// Takes the last command back.
    Undo,
    /// Does it again.
    Redo,
    /// Stores an answer.
    Answer(String, String),
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
    /// How fast.
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
    fn of(pixels: f64) -> Self {
        match pixels {
            p if p < 700.0 => Width::Phone,
            p if p < 1100.0 => Width::Tablet,
            _ => Width::Desk,
        }
    }
}

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
    /// Whether the list of keys is open.
    pub keys: bool,
    /// What was last typed into the terminal by the page, and its number.
    pub typed: (u32, String),
    /// The file in the editor.
    pub file: String,
    /// Its text as the page last wrote it, and the number of that.
    pub text: (u32, String),
    /// Its text now.
    pub draft: String,
    /// What is wrong with it.
    pub diagnostics: Rc<Vec<Diagnostic>>,
    /// Hints shown.
    pub hints: usize,
    /// A short message, for eyes and readers.
    pub said: String,
    /// A link that must be copied by hand.
    pub link: Option<String>,
    goal_before: usize,
    shown_facts: usize,
    chord: bool,
    tick: Option<Tick>,
    listeners: Vec<EventListener>,
}

/// What an empty editor begins with.
const SAMPLE: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: hello\nspec:\n  containers:\n    - name: app\n      image: registry.k8s.io/pause:3.10\n";
/// Longest text that is checked while typing, in bytes.
const LONGEST_CHECKED: usize = 256 << 10;

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
        Rc::new(self.desk.scene(form, focus))
    }

    /// Whether a pane is hidden.
    #[must_use]
    pub fn hides(&self, pane: Pane) -> bool {
        self.hidden.contains(&pane)
    }

    fn open(&mut self, address: Address) {
        if address.route != self.address.route {
            self.desk = Desk::open(&address.route);
            self.selected = self.first_selection();
            self.decision = false;
            self.hints = 0;
            self.said.clear();
            self.link = None;
            self.tab = Tab::Why;
            self.load_file();
            self.goal_before = self.met();
            self.first_line(&address.route);
        }
        if let Some(secs) = address.query.get("t").and_then(|t| t.parse::<u64>().ok()) {
            self.desk.seek(SimTime(secs.saturating_mul(1000)));
        }
        self.address = address;
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

    fn load_file(&mut self) {
        let files = self.desk.yaml_files();
        let (name, text) =
            files.first().cloned().unwrap_or_else(|| ("pod.yaml".to_owned(), SAMPLE.to_owned()));
        self.file = name;
        self.draft.clone_from(&text);
        self.text = (self.text.0 + 1, text);
        self.check();
    }

    fn check(&mut self) {
        let checked = if self.draft.len() > LONGEST_CHECKED {
            Vec::new()
        } else {
            api::diagnose::manifest(&self.draft)
        };
        self.diagnostics = Rc::new(checked);
    }

    fn met(&self) -> usize {
        use lab::lesson::progress::Standing;
        let goals = self.desk.session().progress().map(lab::lesson::progress::Progress::goals);
        goals.map_or(0, |all| all.iter().filter(|g| g.standing == Standing::Met).count())
    }

    fn say_goals(&mut self) {
        let met = self.met();
        if met > self.goal_before {
            let all = self.desk.book().map_or(0, |book| book.lesson.goals.len());
            self.said = format!("{} {met}/{all}", self.ui().goals);
            self.hints = 0;
        }
        self.goal_before = met;
    }

    fn run(&mut self, context: &Context<Self>, text: &str) {
        self.desk.run(text, clock::now());
        self.link = None;
        self.say_goals();
        if self.settings.calm {
            // Nothing travels: the end is shown at once, with rings and captions.
            self.desk.look_at_head();
        }
        if self.desk.path.is_some() && text.trim_start().starts_with("lab trace") {
            self.tab = Tab::Path;
        }
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
            Action::Tab(tab) => self.tab = tab,
            Action::Work(work) => self.work = work,
            Action::Sheet(sheet) => self.sheet = sheet,
            Action::Toggle(pane) => match self.hidden.iter().position(|p| *p == pane) {
                Some(at) => drop(self.hidden.remove(at)),
                None => self.hidden.push(pane),
            },
            Action::Decision(open) => self.decision = open,
            Action::Keys(open) => self.keys = open,
            Action::Pressed(code, key) => return self.pressed(context, &code, &key),
            Action::Resized(pixels) => {
                let width = Width::of(pixels);
                if width == self.width {
                    return false;
                }
                self.width = width;
            }
            Action::Run(text) => self.run(context, &text),
            Action::Type(text) => {
                self.work = Work::Terminal;
                self.sheet = Sheet::Act;
                self.hidden.retain(|p| *p != Pane::Work);
                self.typed = (self.typed.0 + 1, text);
            }
            Action::Edit(name, text) => {
                self.file = if name == "STDIN" { "pod.yaml".to_owned() } else { name };
                self.draft.clone_from(&text);
                self.text = (self.text.0 + 1, text);
                self.work = Work::Editor;
                self.check();
            }
            Action::Edited(text) => {
                if text == self.draft {
                    return false;
                }
                self.draft = text;
                self.check();
            }
            Action::Apply => {
                let text = self.draft.clone();
                if text.len() > script::LONGEST_PASTE {
                    self.said = self.ui().too_long.to_owned();
                    return true;
                }
                let mark = if text.lines().any(|line| line == "EOF") { "PODPATH_EOF" } else { "EOF" };
                let file = self.file.clone();
                let text = text.trim_end_matches('\n');
                self.run(
                    context,
                    &format!("cat > {file} <<'{mark}'\n{text}\n{mark}\nkubectl apply -f {file}"),
                );
            }
            Action::Undo => {
                if let Some(line) = self.desk.undo() {
                    self.said = fill(self.ui().back_before, line.lines().next().unwrap_or_default());
                }
                self.goal_before = self.met();
            }
            Action::Redo => {
                self.desk.redo(clock::now());
                self.say_goals();
                self.play(context);
            }
            Action::Answer(id, value) => self.run(context, &format!("lab answer {id} {value}")),
            Action::Hint => self.hints += 1,
            Action::Solution => self.solution(),
            Action::Share => self.share(context),
            Action::Shared(copied) => {
                if copied {
                    self.said = self.ui().copied.to_owned();
                } else {
                    self.said = self.ui().copy_by_hand.to_owned();
                }
            }
            Action::Seek(at) => self.desk.seek(at),
            Action::Step(forward) => self.desk.step(forward),
            Action::PlayPause => {
                if self.desk.playing() {
                    self.desk.pause();
                } else {
                    self.desk.play(clock::now());
                    self.play(context);
                }
            }
            Action::Speed(speed) => self.desk.speed = speed,
            Action::Frame(now) => {
                self.tick = None;
                let changed = self.desk.frame(now);
                self.play(context);
                return changed;
            }
        }
        true
    }

    fn select(&mut self, context: &Context<Self>, id: Option<String>) {
        self.selected.clone_from(&id);
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

    fn solution(&mut self) {
        let Some(book) = self.desk.book() else { return };
        let all = script::lines(book.solution());
        let done = self.desk.session().lines();
        let next = all.iter().find(|line| !done.iter().any(|d| d.text == **line) && !script::is_wait(line));
        if let Some(line) = next.cloned() {
            self.work = Work::Terminal;
            self.sheet = Sheet::Act;
            if line.contains('\n') {
                // A here-document is several lines: it goes through the editor, which writes the same.
                let mut rows = line.lines();
                let name = rows
                    .next()
                    .and_then(|first| first.split_whitespace().nth(2))
                    .unwrap_or("pod.yaml")
                    .to_owned();
                let text: Vec<&str> = rows.take_while(|row| !row.ends_with("EOF")).collect();
                let text = text.join("\n") + "\n";
                self.file = name;
                self.draft.clone_from(&text);
                self.text = (self.text.0 + 1, text);
                self.work = Work::Editor;
                self.check();
            } else {
                self.typed = (self.typed.0 + 1, line);
            }
        }
    }

    fn share(&mut self, context: &Context<Self>) {
        let location = gloo::utils::window().location();
        let base = location.href().unwrap_or_default();
        let base = base.split('#').next().unwrap_or_default().to_owned();
        let link = format!("{base}{}", Route::Shared(self.desk.session().link()).hash());
        self.link = Some(link.clone());
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

    /// Keys act where nothing is typed. Letters are known by their place, so that the Korean layout does not matter.
    fn pressed(&mut self, context: &Context<Self>, code: &str, key: &str) -> bool {
        if std::mem::take(&mut self.chord) {
            match code {
                "KeyL" => focus("lesson"),
                "KeyS" => focus("outline"),
                "KeyI" => focus("inspector"),
                "KeyE" => {
                    self.work = Work::Editor;
                    focus("work");
                }
                "KeyT" => terminal::focus(),
                "KeyN" => focus("timeline"),
                _ => {}
            }
            return true;
        }
        let action = match (code, key) {
            (_, "?") => Action::Keys(!self.keys),
            (_, "/") => {
                self.work = Work::Terminal;
                terminal::focus();
                return true;
            }
            ("Escape", _) if self.keys => Action::Keys(false),
            ("Escape", _) if self.decision => Action::Decision(false),
            ("Escape", _) => Action::Select(None),
            ("KeyG", _) => {
                self.chord = true;
                return false;
            }
            ("Space", _) => Action::PlayPause,
            ("ArrowRight" | "Period", _) => Action::Step(true),
            ("ArrowLeft" | "Comma", _) => Action::Step(false),
            ("KeyU", _) => Action::Undo,
            ("KeyH", _) => Action::Hint,
            ("KeyW", _) => {
                self.tab = Tab::Why;
                Action::Decision(!self.decision)
            }
            ("KeyT", _) => Action::Tab(Tab::Path),
            ("KeyP", _) => {
                focus_first("#lesson .predict button, #lesson .predict input");
                return false;
            }
            ("BracketLeft", _) => Action::Toggle(Pane::Lesson),
            ("BracketRight", _) => Action::Toggle(Pane::Inspector),
            ("Backslash", _) => Action::Toggle(Pane::Work),
            _ => return false,
        };
        self.reduce(context, action)
    }

    fn play(&mut self, context: &Context<Self>) {
        if self.desk.playing() && self.tick.is_none() {
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
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
            if event.is_composing() || event.alt_key() {
                return;
            }
            if event.ctrl_key() || event.meta_key() {
                if event.code() == "KeyZ" && !typing(event) {
                    event.prevent_default();
                    send.emit(if event.shift_key() { Action::Redo } else { Action::Undo });
                }
            } else if !typing(event) && !event.default_prevented() {
                if matches!(event.key().as_str(), "/" | " ") {
                    event.prevent_default();
                }
                send.emit(Action::Pressed(event.code(), event.key()));
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
            keys: false,
            typed: (0, String::new()),
            file: String::new(),
            text: (0, String::new()),
            draft: String::new(),
            diagnostics: Rc::default(),
            hints: 0,
            said: String::new(),
            link: None,
            goal_before: 0,
            shown_facts: usize::MAX,
            chord: false,
            tick: None,
            listeners,
        };
        app.selected = app.first_selection();
        app.load_file();
        app.goal_before = app.met();
        app.first_line(&address.route);
        app.open(address);
        app
    }

    fn update(&mut self, context: &Context<Self>, action: Action) -> bool {
        self.reduce(context, action)
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let send = context.link().callback(|action: Action| action);
        let page = match &self.address.route {
            Route::First => screen::first::first(self, &send),
            Route::Lessons => screen::lessons::lessons(self, &send),
            Route::Lesson(_) | Route::Sandbox | Route::World(_) | Route::Shared(_) => {
                screen::lab::lab(self, &send)
            }
        };
        html! {
            <>
                {widget::sprite()}
                {page}
                <p class="vh" role="status" aria-live="polite" id="said">{self.said.clone()}</p>
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
        if self.address.route == Route::First
            && gloo::utils::document().active_element().is_none_or(|e| e.tag_name() == "BODY")
        {
            focus_first("#go");
        }
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
