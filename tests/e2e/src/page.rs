//! What does a person do with the page?
//!
//! [`Page`] is a browser with one page in it. Everything waits for its condition, at most ten seconds (longer on a slowed-down
//! processor), so that no journey needs a pause of its own.

use crate::driver::Driver;
use crate::element::Element;
use crate::view::{Storage, View};
use crate::{Site, devtools, target};
use fantoccini::Client;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::error::CmdError;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

/// What the page sets when it can be used; a document that has just begun has no element yet.
const READY: &str = "document.documentElement?.dataset.ready !== undefined";

/// A browser with the page in it; it closes when dropped.
#[derive(Debug)]
pub struct Page {
    // Fields are dropped in this order: the browser's client, then what runs it, then the driver.
    client: Client,
    runtime: Runtime,
    _driver: Driver,
    patience: Duration,
}

impl Page {
    /// Opens a route in a new browser with an empty profile, and waits until the page says that it is ready.
    ///
    /// # Panics
    /// It does not start, or is not ready in time.
    #[track_caller]
    pub fn open(site: &Site, route: &str, view: &View) -> Page {
        let page = Page::open_early(site, route, view);
        page.wait_for("the page to be ready", READY);
        page
    }

    /// Waits until the page says that it is ready; false if it does not in time.
    pub fn until_ready(&self) -> bool {
        self.until(|| (self.eval(READY) == json!(true)).then_some(())).is_some()
    }

    /// Opens a route without waiting for more than the document.
    ///
    /// # Panics
    /// The browser does not start.
    #[track_caller]
    pub fn open_early(site: &Site, route: &str, view: &View) -> Page {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime for the client");
        let driver = Driver::start();
        let client = runtime.block_on(driver.browser());
        let page =
            Page { client, runtime, _driver: driver, patience: Duration::from_secs(10) * view.slow_down };
        page.look_as(view);
        if view.storage == Storage::Blocked {
            page.before_every_document(
                "Object.defineProperty(window, 'localStorage', { get() {
                    throw new DOMException('Access is denied for this document.', 'SecurityError');
                } })",
            );
        }
        page.goto(&site.address(route));
        page
    }

    /// Changes what the browser tells the page about its user.
    #[track_caller]
    pub fn look_as(&self, view: &View) {
        let (size, phone) = (view.size, view.size.is_phone());
        let motion = if view.reduced_motion { "reduce" } else { "no-preference" };
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": size.width, "height": size.height, "deviceScaleFactor": 1, "mobile": phone }),
        );
        self.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone }));
        let features = json!([
            { "name": "prefers-color-scheme", "value": view.theme.name() },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
        let agent = self.eval("navigator.userAgent");
        self.devtools(
            "Emulation.setUserAgentOverride",
            json!({ "userAgent": agent, "acceptLanguage": view.language }),
        );
        self.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": view.slow_down }));
    }

    /// Goes to an address.
    #[track_caller]
    pub fn goto(&self, address: &str) {
        self.did(self.runtime.block_on(self.client.goto(address)), &format!("going to {address}"));
    }

    /// Runs a script in every document from now on, before the document's own.
    #[track_caller]
    pub fn before_every_document(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// The address now.
    #[track_caller]
    pub fn address(&self) -> String {
        self.eval("location.href").as_str().unwrap_or_default().to_owned()
    }

    /// The page's title.
    #[track_caller]
    pub fn title(&self) -> String {
        self.eval("document.title").as_str().unwrap_or_default().to_owned()
    }

    /// Loads the page again.
    #[track_caller]
    pub fn reload(&self) {
        self.did(self.runtime.block_on(self.client.refresh()), "reloading");
        self.wait_for("the page to be ready", READY);
    }

    /// The element with this role and name, waited for. An exact name wins over one that contains the words.
    ///
    /// # Panics
    /// There is none in time; the message lists the names of that role which are there.
    #[track_caller]
    pub fn expect(&self, role: &str, name: &str) -> Element {
        let found = self.until(|| self.find(role, name));
        found.unwrap_or_else(|| {
            let names: Vec<String> = self.all(role).into_iter().map(|element| element.name).collect();
            panic!("no {role} named {name:?}; those there: {names:?}")
        })
    }

    /// The element with this role and name, if it is there now.
    #[track_caller]
    pub fn find(&self, role: &str, name: &str) -> Option<Element> {
        let all = self.all(role);
        let exact = all.iter().find(|element| element.name == name);
        exact.or_else(|| all.iter().find(|element| element.name.contains(name))).cloned()
    }

    /// All elements with this role, in the order of the page.
    #[track_caller]
    pub fn all(&self, role: &str) -> Vec<Element> {
        let found = self.runtime.block_on(Element::all(&self.client, role));
        self.did(found, &format!("looking for {role}"))
    }

    /// Waits until no element has this role and name.
    #[track_caller]
    pub fn expect_gone(&self, role: &str, name: &str) {
        let gone = self.until(|| self.find(role, name).is_none().then_some(()));
        assert!(gone.is_some(), "the {role} named {name:?} is still there");
    }

    /// Clicks the element with this role and name, once it is there and nothing covers it.
    #[track_caller]
    pub fn click(&self, role: &str, name: &str) {
        let mut covered = String::new();
        let clicked = self.until(|| {
            let element = self.find(role, name)?;
            // An element that is replaced between finding and clicking is looked for again.
            match self.runtime.block_on(element.click(&self.client)).ok()? {
                Ok(()) => Some(()),
                Err(over) => {
                    covered = over;
                    None
                }
            }
        });
        if clicked.is_none() {
            self.expect(role, name);
            panic!("the {role} named {name:?} cannot be clicked: {covered}");
        }
    }

    /// The text a person can read in the element.
    #[track_caller]
    pub fn text(&self, element: &Element) -> String {
        let answer = self.runtime.block_on(
            element.call(&self.client, "function () { return this.innerText ?? this.textContent }"),
        );
        self.did(answer, "reading").as_str().unwrap_or_default().to_owned()
    }

    /// Moves the focus to the element.
    #[track_caller]
    pub fn focus(&self, element: &Element) {
        let answer = self.runtime.block_on(element.call(&self.client, "function () { this.focus() }"));
        self.did(answer, "focusing");
    }

    /// Types text where the focus is; `\n` is the Enter key.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        let mut keys = KeyActions::new("keyboard".into());
        for value in text.chars().map(|character| if character == '\n' { '\u{E007}' } else { character }) {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.did(self.runtime.block_on(self.client.perform_actions(keys)), "typing");
    }

    /// Puts text in at once where the focus is, as pasting or an input method does.
    #[track_caller]
    pub fn insert_text(&self, text: &str) {
        self.devtools("Input.insertText", json!({ "text": text }));
    }

    /// Copies text and pastes it where the focus is: a real paste, through the clipboard.
    #[track_caller]
    pub fn paste(&self, text: &str) {
        self.devtools(
            "Browser.grantPermissions",
            json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] }),
        );
        self.eval(&format!("navigator.clipboard.writeText({})", Value::from(text)));
        let key = |kind: &str| json!({ "type": kind, "commands": ["paste"], "key": "v", "code": "KeyV", "modifiers": 2 });
        self.devtools("Input.dispatchKeyEvent", key("rawKeyDown"));
        self.devtools("Input.dispatchKeyEvent", key("keyUp"));
    }

    /// Presses the mouse's button on the element and drags from one place to the next; a place is the part of the width
    /// that lies to its left.
    #[track_caller]
    pub fn drag_across(&self, element: &Element, places: &[f64]) {
        let found = self.runtime.block_on(element.call(
            &self.client,
            "function () { const box = this.getBoundingClientRect(); return [box.x, box.y, box.width, box.height] }",
        ));
        let bounds = self.did(found, "measuring");
        let bound = |at: usize| bounds[at].as_f64().unwrap_or_default();
        let event = |kind: &str, place: f64, held: u8| {
            json!({ "type": kind, "x": bound(0) + bound(2) * place, "y": bound(1) + bound(3) / 2.0,
                "button": "left", "buttons": held, "clickCount": 1 })
        };
        let (Some(first), Some(last)) = (places.first(), places.last()) else { return };
        self.devtools("Input.dispatchMouseEvent", event("mousePressed", *first, 1));
        for place in places {
            self.devtools("Input.dispatchMouseEvent", event("mouseMoved", *place, 1));
        }
        self.devtools("Input.dispatchMouseEvent", event("mouseReleased", *last, 0));
    }

    /// Presses a key, with modifiers: `Enter`, `Tab`, `Control+Enter`, `Shift+Tab`, `z`.
    #[track_caller]
    pub fn press(&self, chord: &str) {
        let codes: Vec<char> = if chord == "+" { vec!['+'] } else { chord.split('+').map(key).collect() };
        let keys = codes
            .iter()
            .fold(KeyActions::new("keyboard".into()), |keys, &value| keys.then(KeyAction::Down { value }));
        let keys = codes.iter().rev().fold(keys, |keys, &value| keys.then(KeyAction::Up { value }));
        self.did(self.runtime.block_on(self.client.perform_actions(keys)), chord);
    }

    /// Role and name of what has the focus, as `role name`.
    #[track_caller]
    pub fn focused(&self) -> String {
        let active: Result<String, CmdError> = self.runtime.block_on(async {
            let element = self.client.active_element().await?;
            let id = element.element_id();
            let role = devtools::computed(&self.client, &id, "computedrole").await?;
            Ok(format!("{role} {}", devtools::computed(&self.client, &id, "computedlabel").await?))
        });
        self.did(active, "asking for the focus")
    }

    /// The value of an expression of JavaScript; a promise is awaited.
    #[track_caller]
    pub fn eval(&self, expression: &str) -> Value {
        let call = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.devtools("Runtime.evaluate", call);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until an expression of JavaScript is true; `what` says in words what is waited for.
    #[track_caller]
    pub fn wait_for(&self, what: &str, expression: &str) {
        let met = self.until(|| (self.eval(expression) == json!(true)).then_some(()));
        if met.is_none() {
            panic!(
                "waited {} s for {what}; the console said {:?}",
                self.patience.as_secs(),
                self.console_errors()
            );
        }
    }

    /// What the console counts as errors, since this was last asked: exceptions, broken policy, files not found.
    #[track_caller]
    pub fn console_errors(&self) -> Vec<String> {
        let said = self.did(self.runtime.block_on(devtools::console(&self.client)), "reading the console");
        said.into_iter().filter(|(level, _)| level == "SEVERE").map(|(_, message)| message).collect()
    }

    /// A picture of what is on the screen, as PNG.
    #[track_caller]
    pub fn picture(&self) -> Vec<u8> {
        self.did(self.runtime.block_on(self.client.screenshot()), "taking a picture")
    }

    /// One call of the DevTools protocol.
    #[track_caller]
    pub fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.did(self.runtime.block_on(devtools::call(&self.client, name, parameters)), name)
    }

    /// Asks again until there is an answer or patience ends.
    fn until<T>(&self, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
        // Counted in questions rather than by a clock: each takes some milliseconds besides the pause.
        let pause = Duration::from_millis(50);
        for _ in 0..self.patience.as_millis() / pause.as_millis() {
            if let Some(answer) = ask() {
                return Some(answer);
            }
            self.runtime.block_on(async { tokio::time::sleep(pause).await });
        }
        ask()
    }

    #[track_caller]
    fn did<T, E: Debug>(&self, outcome: Result<T, E>, what: &str) -> T {
        outcome.unwrap_or_else(|failure| panic!("{what}: {failure:?}"))
    }

    /// What is left of a journey that failed: the last picture, under the journey's own name.
    fn leave_picture(&self) -> Result<(), CmdError> {
        let picture = self.runtime.block_on(self.client.screenshot())?;
        let name = std::thread::current().name().unwrap_or("journey").replace("::", "-");
        let folder = target().join("journeys");
        let file = folder.join(format!("{name}.png"));
        if std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, picture)).is_ok() {
            let file: &Path = file.as_ref();
            eprintln!("the page's last picture: {}", file.display());
        }
        Ok(())
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(self.leave_picture());
        }
        drop(self.runtime.block_on(self.client.clone().close()));
    }
}

/// WebDriver's code of a key's name. Source: WebDriver, "keyboard actions".
fn key(name: &str) -> char {
    match name {
        "Backspace" => '\u{E003}',
        "Tab" => '\u{E004}',
        "Enter" => '\u{E007}',
        "Shift" => '\u{E008}',
        "Control" => '\u{E009}',
        "Alt" => '\u{E00A}',
        "Escape" => '\u{E00C}',
        "Space" => ' ',
        "PageUp" => '\u{E00E}',
        "PageDown" => '\u{E00F}',
        "End" => '\u{E010}',
        "Home" => '\u{E011}',
        "ArrowLeft" => '\u{E012}',
        "ArrowUp" => '\u{E013}',
        "ArrowRight" => '\u{E014}',
        "ArrowDown" => '\u{E015}',
        "Delete" => '\u{E017}',
        one if one.chars().count() == 1 => one.chars().next().unwrap_or(' '),
        other => panic!("no key is named {other:?}"),
    }
}
