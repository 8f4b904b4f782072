//! The page's one state, and the one way to change it.
//!
//! Every control sends an [`Action`]; [`App`] changes; all panes are drawn from what it then is.

use std::rc::Rc;

use gloo::events::EventListener;
use lab::{
    view::scene::{Form, Scene},
    words::Lang,
};
use wasm_bindgen::JsCast;
use yew::{Callback, Component, Context, Html, html};

use crate::{
    clock::{self, Tick},
    desk::Desk,
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
#[derive(Debug)]
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
    /// A tab of the inspector.
    Tab(Tab),
    /// What the work area shows.
    Work(Work),
    /// A tab of the sheet.
    Sheet(Sheet),
    /// Hides or shows a pane.
    Toggle(Pane),
    /// The window's width changed.
    Resized(f64),
    /// Runs one or many lines.
    Run(String),
    /// Takes the last command back.
    Undo,
    /// Does it again.
    Redo,
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
        Rc::new(self.desk.scene(form, focus))
    }

    fn reduce(&mut self, context: &Context<Self>, action: Action) -> bool {
        match action {
            Action::Went(address) => {
                if address.route != self.address.route {
                    self.desk = Desk::open(&address.route);
                    self.selected = None;
                }
                self.address = address;
            }
            Action::Go(route) => {
                let hash = route.hash();
                // The listener hears of the change and opens the page.
                let _ = gloo::utils::window().location().set_hash(&hash);
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
            Action::Select(id) => self.selected = id,
            Action::Tab(tab) => self.tab = tab,
            Action::Work(work) => self.work = work,
            Action::Sheet(sheet) => self.sheet = sheet,
            Action::Toggle(pane) => match self.hidden.iter().position(|p| *p == pane) {
                Some(at) => drop(self.hidden.remove(at)),
                None => self.hidden.push(pane),
            },
            Action::Resized(pixels) => {
                let width = Width::of(pixels);
                if width == self.width {
                    return false;
                }
                self.width = width;
            }
            Action::Run(text) => {
                self.desk.run(&text);
                self.play(context);
            }
            Action::Undo => self.desk.undo(),
            Action::Redo => self.desk.redo(),
            Action::Frame(now) => {
                self.tick = None;
                let changed = self.desk.frame(now);
                self.play(context);
                return changed;
            }
        }
        true
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

fn window_width() -> f64 {
    gloo::utils::window().inner_width().ok().and_then(|w| w.as_f64()).unwrap_or(1440.0)
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
        let listeners = vec![
            EventListener::new(&window, "hashchange", move |_| went.emit(self::address())),
            EventListener::new(&window, "resize", move |_| resized.emit(window_width())),
        ];
        Self {
            desk: Desk::open(&address.route),
            address,
            settings,
            selected: None,
            tab: Tab::default(),
            work: Work::default(),
            sheet: Sheet::default(),
            hidden: Vec::new(),
            width: Width::of(window_width()),
            tick: None,
            listeners,
        }
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
        html! { <>{widget::sprite()}{page}</> }
    }

    fn rendered(&mut self, _context: &Context<Self>, first: bool) {
        if first {
            settings::mark_ready();
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
