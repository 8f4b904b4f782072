//! The editor: CodeMirror in a shadow root, loaded when first shown; a plain text field until then, and where it fails.

use std::{cell::RefCell, rc::Rc};

use api::{Diagnostic, Severity};
use js_sys::{Array, Function, Promise, Reflect};
use lab::words::Lang;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, HtmlTextAreaElement, InputEvent, KeyboardEvent};
use yew::{
    Callback, Html, Properties, function_component, html, use_effect_with, use_mut_ref, use_node_ref,
    use_state,
};

use crate::{
    app::{Action, on, target},
    widget::{Icon, icon},
};

/// What the editor is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Name of the file.
    pub name: String,
    /// Its text when it was opened, and a number that changes when somebody else wrote it.
    pub text: (u32, String),
    /// What is wrong with the text.
    pub diagnostics: Rc<Vec<Diagnostic>>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// A mounted editor; what it calls back lives as long as it does.
struct Mounted {
    handle: JsValue,
    #[allow(dead_code, reason = "the editor calls it")]
    changed: Closure<dyn FnMut(String)>,
    #[allow(dead_code, reason = "the editor calls it")]
    apply: Closure<dyn FnMut()>,
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
    let document = gloo::utils::document();
    let link = document.query_selector("link[data-asset='editor']")?;
    let url = link.and_then(|l| l.get_attribute("href")).unwrap_or_else(|| "editor.js".to_owned());
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

/// The editor and its bar.
#[function_component(Editor)]
pub fn editor(props: &Props) -> Html {
    let ui = props.lang.ui();
    let host = use_node_ref();
    let mounted = use_mut_ref(|| None::<Mounted>);
    let ready = use_state(|| false);
    {
        let (host, mounted, ready, props) = (host.clone(), mounted.clone(), ready.clone(), props.clone());
        use_effect_with((), move |()| {
            let gone = Rc::new(RefCell::new(false));
            let (there, label) = (gone.clone(), props.lang.ui().editor);
            spawn_local(async move {
                let Ok(module) = load().await else { return };
                let Some(host) = host.cast::<HtmlElement>().filter(|_| !*there.borrow()) else { return };
                let (send, apply) = (props.send.clone(), props.send.clone());
                let changed = Closure::<dyn FnMut(String)>::new(move |text| send.emit(Action::Edited(text)));
                let apply = Closure::<dyn FnMut()>::new(move || apply.emit(Action::Apply));
                let mount = Reflect::get(&module, &"mount".into()).and_then(JsCast::dyn_into::<Function>);
                let arguments = Array::of5(
                    &host,
                    &props.text.1.clone().into(),
                    &label.into(),
                    changed.as_ref().unchecked_ref(),
                    apply.as_ref().unchecked_ref(),
                );
                if let Ok(handle) = mount.and_then(|mount| mount.apply(&module, &arguments)) {
                    *mounted.borrow_mut() = Some(Mounted { handle, changed, apply });
                    ready.set(true);
                }
            });
            move || *gone.borrow_mut() = true
        });
    }
    {
        let mounted = mounted.clone();
        use_effect_with((props.text.clone(), *ready), move |((_, text), _)| {
            if let Some(mounted) = mounted.borrow().as_ref() {
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
    let onkeydown = {
        let send = props.send.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                send.emit(Action::Apply);
            }
        })
    };
    let errors = props.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    html! {
        <div class="edit" role="group" aria-label={ui.editor}>
            <div class="code" ref={host} tabindex="-1"></div>
            if !*ready {
                <textarea class="plain-code" aria-label={ui.editor} spellcheck="false" value={props.text.1.clone()} {oninput} {onkeydown}/>
            }
            <div class="edit-foot">
                <code>{props.name.clone()}</code>
                <ul class="faults" aria-live="polite">
                    {for props.diagnostics.iter().take(3).map(|d| html! {
                        <li class={if d.severity == Severity::Error { "rd" } else { "am" }}>
                            {d.span.map(|s| format!("{}:{} ", s.line, s.column)).unwrap_or_default()}{d.message.clone()}</li>
                    })}
                </ul>
                <span class="grow"/>
                <button class="btn" onclick={on(&props.send, || Action::Apply)}
                    title={if errors > 0 { ui.nothing_applied } else { "" }}>
                    {icon(Icon::Play, "")}{ui.apply}<kbd>{"Ctrl ↵"}</kbd></button>
            </div>
        </div>
    }
}
