//! The editor: CodeMirror in a shadow root, loaded when first shown; a plain text field until then, and where it fails.

use std::{cell::RefCell, rc::Rc};

use api::{Diagnostic, Severity, diagnose::Purpose, schema::DESCRIPTIONS};
use js_sys::{Array, Function, Object, Promise, Reflect};
use lab::{
    script,
    view::manifest,
    words::{Lang, fill},
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    ClipboardEvent, HtmlElement, HtmlSelectElement, HtmlTextAreaElement, InputEvent, KeyboardEvent,
};
use yew::{
    Callback, Html, Properties, classes, function_component, html, use_effect_with, use_mut_ref,
    use_node_ref, use_state,
};

use super::terminal;
use crate::{
    app::{Action, on, target},
    desk::Entry,
    dom::{asset_address, focus_first},
    widget::{Icon, icon, rich},
};

/// What the editor is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Name of the file.
    pub name: String,
    /// The command that has opened it on an object, if one has.
    pub editing: Option<String>,
    /// Names of all files that could be here.
    pub files: Vec<String>,
    /// What its text is for.
    pub purpose: Purpose,
    /// Its text, and a number that changes when somebody else wrote it.
    pub text: (u32, String),
    /// What is wrong with the text.
    pub diagnostics: Rc<Vec<Diagnostic>>,
    /// What the last command printed.
    pub outcome: Vec<Entry>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// A mounted editor; what it calls back lives as long as it does.
struct Mounted {
    handle: JsValue,
    #[allow(dead_code, reason = "the editor calls them")]
    calls: Calls,
}

/// What the editor calls.
struct Calls {
    changed: Closure<dyn FnMut(String)>,
    apply: Closure<dyn FnMut()>,
    refused: Closure<dyn FnMut()>,
    left: Closure<dyn FnMut()>,
    complete: Closure<dyn FnMut(String, String) -> JsValue>,
    explain: Closure<dyn FnMut(String, u32) -> JsValue>,
}

impl Calls {
    fn new(send: &Callback<Action>, lang: Lang) -> Self {
        let to = || send.clone();
        let (changed, apply, refused, want) = (to(), to(), to(), to());
        // What fields mean is told at them, and beside what is offered.
        want.emit(Action::Want(&DESCRIPTIONS));
        Self {
            changed: Closure::new(move |text| changed.emit(Action::Edited(text))),
            apply: Closure::new(move || apply.emit(Action::Apply)),
            refused: Closure::new(move || refused.emit(Action::TooLong)),
            left: Closure::new(|| focus_first(".edit .edit-foot .btn")),
            complete: Closure::new(|before: String, after: String| {
                offers(&manifest::complete(&before, &after))
            }),
            explain: Closure::new(move |text: String, at: u32| match manifest::explain(&text, at as usize) {
                Some(field) => {
                    let mut about = field.about;
                    if !DESCRIPTIONS.is_here() {
                        want.emit(Action::Want(&DESCRIPTIONS));
                        lang.ui().words_coming.clone_into(&mut about);
                    }
                    Array::of3(&field.name.into(), &field.kind.into(), &about.into()).into()
                }
                None => JsValue::NULL,
            }),
        }
    }

    fn object(&self) -> Object {
        let object = Object::new();
        for (name, call) in [
            ("changed", self.changed.as_ref()),
            ("apply", self.apply.as_ref()),
            ("refused", self.refused.as_ref()),
            ("left", self.left.as_ref()),
            ("complete", self.complete.as_ref()),
            ("explain", self.explain.as_ref()),
        ] {
            // A new object takes properties.
            let _ = Reflect::set(&object, &name.into(), call);
        }
        object
    }
}

/// `[letters typed so far, [name, type, what it is], …]`.
fn offers(found: &manifest::Completion) -> JsValue {
    let rows: Array = found
        .offers
        .iter()
        .map(|it| Array::of3(&it.name.clone().into(), &it.kind.clone().into(), &it.about.clone().into()))
        .collect();
    Array::of2(&(found.typed as u32).into(), &rows).into()
}

impl Mounted {
    fn call(&self, name: &str, argument: &JsValue) {
        if let Ok(function) = Reflect::get(&self.handle, &name.into()).and_then(JsCast::dyn_into::<Function>)
        {
            // An editor that throws has logged it; the text is safe in the page.
            let _ = function.call1(&self.handle, argument);
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.call("destroy", &JsValue::UNDEFINED);
    }
}

/// Loads the editor's module, whatever name it was given.
async fn load() -> Result<JsValue, JsValue> {
    let url = asset_address("editor").unwrap_or_else(|| "editor.js".to_owned());
    let podpath = Reflect::get(&js_sys::global(), &"podpath".into())?;
    let load: Function = Reflect::get(&podpath, &"load".into())?.dyn_into()?;
    let promise: Promise = load.call1(&podpath, &url.into())?.dyn_into()?;
    JsFuture::from(promise).await
}

fn rows(diagnostics: &[Diagnostic]) -> Array {
    let row = |d: &Diagnostic| {
        let (line, column, length) =
            d.span.map_or((1, 1, 1), |s| (s.line, s.column, s.end.saturating_sub(s.start).max(1)));
        let severity = match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        Array::of5(&line.into(), &column.into(), &length.into(), &severity.into(), &d.message.clone().into())
    };
    diagnostics.iter().map(row).collect()
}

/// Most mistakes that are listed below the text.
const MOST_FAULTS: usize = 50;
/// Most entries of the last command's output that stand below the text.
const MOST_OUTCOME: usize = 6;

/// Puts the focus into the editor's text; into the plain field while that stands in for it, which hands it on.
pub(crate) fn focus() {
    let find = |selector: &str| gloo::utils::document().query_selector(selector).ok().flatten();
    let inner = find(".edit .code")
        .and_then(|host| host.shadow_root())
        .and_then(|root| root.query_selector(".cm-content").ok().flatten());
    let field = inner.or_else(|| find(".edit .plain-code")).and_then(|it| it.dyn_into::<HtmlElement>().ok());
    if let Some(field) = field {
        // What cannot take focus leaves it where it was.
        let _ = field.focus();
    }
}

/// The name of the file, or a choice where there are several.
fn file(props: &Props) -> Html {
    if props.files.iter().all(|name| *name == props.name) {
        return html! { <code>{props.name.clone()}</code> };
    }
    let onchange = {
        let send = props.send.clone();
        Callback::from(move |event: web_sys::Event| {
            if let Some(choice) = target::<HtmlSelectElement>(&event) {
                send.emit(Action::File(choice.value()));
            }
        })
    };
    let others = props.files.iter().filter(|name| **name != props.name);
    let mut all: Vec<&String> = std::iter::once(&props.name).chain(others).collect();
    all.sort();
    html! {
        <select class="tool box mono" aria-label={props.lang.ui().file} {onchange}>
            {for all.into_iter().map(|name| html! {
                <option value={name.clone()} selected={*name == props.name}>{name.clone()}</option>
            })}
        </select>
    }
}

/// A mistake: where, in the real words, and what to do about it. It leads to its place.
fn fault(d: &Diagnostic, lang: Lang, onclick: Callback<web_sys::MouseEvent>) -> Html {
    let plain = lang.advice(d);
    html! {
        <li class={if d.severity == Severity::Error { "rd" } else { "am" }}><button {onclick}>
            <span class="at">{d.span.map(|s| format!("{}:{} ", s.line, s.column)).unwrap_or_default()}</span>
            <span>if !d.field.0.is_empty() && !d.message.contains(&d.field.to_string()) { {format!("{}: ", d.field)} }{d.message.clone()}</span>
            if !plain.is_empty() { <span class="plain">{rich::sentence(&plain)}</span> }
        </button></li>
    }
}

/// The editor and its bar.
#[function_component(Editor)]
pub fn editor(props: &Props) -> Html {
    let ui = props.lang.ui();
    let host = use_node_ref();
    let mounted = use_mut_ref(|| None::<Mounted>);
    let ready = use_state(|| false);
    // The number of the text that the editor shows.
    let shown = use_mut_ref(|| props.text.0);
    let plain = use_node_ref();
    {
        let (host, mounted, ready, props) = (host.clone(), mounted.clone(), ready.clone(), props.clone());
        let plain = plain.clone();
        use_effect_with((), move |()| {
            let gone = Rc::new(RefCell::new(false));
            let (there, label) = (gone.clone(), props.lang.ui().editor);
            spawn_local(async move {
                let Ok(module) = load().await else { return };
                let Some(host) = host.cast::<HtmlElement>().filter(|_| !*there.borrow()) else { return };
                let calls = Calls::new(&props.send, props.lang);
                // Who has begun to write in the plain field goes on where they are.
                let plain = plain.cast::<HtmlTextAreaElement>();
                let text = plain.as_ref().map_or_else(|| props.text.1.clone(), HtmlTextAreaElement::value);
                let active = gloo::utils::document().active_element();
                let writing = plain.is_some_and(|plain| active.as_ref() == Some(&plain));
                let mount = Reflect::get(&module, &"mount".into()).and_then(JsCast::dyn_into::<Function>);
                let arguments = Array::of5(
                    &host,
                    &text.into(),
                    &label.into(),
                    &calls.object(),
                    &(script::LONGEST_PASTE as u32).into(),
                );
                if let Ok(handle) = mount.and_then(|mount| mount.apply(&module, &arguments)) {
                    let editor = Mounted { handle, calls };
                    if writing {
                        editor.call("focus", &JsValue::UNDEFINED);
                    }
                    *mounted.borrow_mut() = Some(editor);
                    ready.set(true);
                }
            });
            move || *gone.borrow_mut() = true
        });
    }
    {
        let mounted = mounted.clone();
        use_effect_with((props.text.clone(), *ready), move |((number, text), _)| {
            if let Some(mounted) = mounted.borrow().as_ref().filter(|_| *shown.borrow() != *number) {
                *shown.borrow_mut() = *number;
                mounted.call("set", &text.clone().into());
            }
        });
    }
    {
        let mounted = mounted.clone();
        use_effect_with((props.diagnostics.clone(), *ready), move |(diagnostics, _)| {
            if let Some(mounted) = mounted.borrow().as_ref() {
                mounted.call("mark", &rows(diagnostics));
            }
        });
    }
    let oninput = {
        let send = props.send.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(area) = target::<HtmlTextAreaElement>(&event) {
                send.emit(Action::Edited(area.value()));
            }
        })
    };
    let onpaste = {
        let send = props.send.clone();
        Callback::from(move |event: web_sys::Event| {
            let data = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
            let text = data.and_then(|data| data.get_data("text").ok());
            if text.is_some_and(|text| text.len() > script::LONGEST_PASTE) {
                event.prevent_default();
                send.emit(Action::TooLong);
            }
        })
    };
    let onkeydown = {
        let send = props.send.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                send.emit(Action::Apply);
            }
        })
    };
    let purpose = props.purpose;
    let errors = props.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let on_fault = move |d: &Diagnostic| {
        let (mounted, place) = (mounted.clone(), d.span.map_or((1, 1), |span| (span.line, span.column)));
        Callback::from(move |_: web_sys::MouseEvent| {
            if let Some(mounted) = mounted.borrow().as_ref() {
                mounted.call("go", &Array::of2(&place.0.into(), &place.1.into()));
            }
        })
    };
    html! {
        <div class="edit" role="group" aria-label={ui.editor}>
            <div class="code" ref={host} tabindex="-1"></div>
            if !*ready {
                <textarea ref={plain} class="plain-code" aria-label={ui.editor} spellcheck="false" value={props.text.1.clone()} {oninput} {onpaste} {onkeydown}/>
            }
            if !props.outcome.is_empty() {
                <div class="outcome term" role="status" aria-label={ui.terminal}>
                    {for props.outcome.iter().filter(|it| !matches!(it, Entry::Typed(..))).rev().take(MOST_OUTCOME).collect::<Vec<_>>()
                        .into_iter().rev().map(|entry| terminal::entry(entry, props.lang, &props.send))}
                </div>
            }
            if !props.diagnostics.is_empty() {
                <ul class="faults" aria-live="polite">
                    {for props.diagnostics.iter().take(MOST_FAULTS).map(|d| fault(d, props.lang, on_fault(d)))}
                </ul>
            }
            <div class="edit-foot">
                if let Some(command) = &props.editing { <code title={command.clone()}>{command.split(" --").next().unwrap_or_default().to_owned()}</code> }
                else { {file(props)} }
                if !props.diagnostics.is_empty() {
                    <span class={if errors > 0 { "count rd" } else { "count am" }}>{match props.diagnostics.len() {
                        1 => ui.one_problem.to_owned(),
                        many => fill(ui.problems, many),
                    }}</span>
                }
                <span class="grow"/>
                if props.editing.is_some() {
                    <button class="btn ghost" onclick={on(&props.send, || Action::CloseEditor)}>{ui.close}</button>
                }
                if props.editing.is_none() {
                    <button class={classes!("btn", (purpose == Purpose::Objects).then_some("ghost"))} onclick={on(&props.send, || Action::SaveFile)}>
                        {ui.save}if purpose == Purpose::Config { <kbd>{"Ctrl ↵"}</kbd> }</button>
                }
                if props.editing.is_some() || purpose != Purpose::Config {
                    <button class={classes!("btn", (props.editing.is_none() && purpose == Purpose::Part).then_some("ghost"))}
                        onclick={on(&props.send, || Action::Apply)} title={if errors > 0 { ui.nothing_applied } else { "" }}>
                        {icon(Icon::Play, "")}{if props.editing.is_some() { ui.save } else { ui.apply }}<kbd>{"Ctrl ↵"}</kbd></button>
                }
            </div>
        </div>
    }
}
