//! The line between two panes: it drags, arrows move it, a double click or Enter hides the pane. Its place is kept.

use lab::words::Lang;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, PointerEvent};
use yew::{Callback, Html, Properties, classes, function_component, html, use_effect_with, use_state};

use crate::{
    app::{Action, Pane, on},
    settings,
};

/// Which pane it sizes.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The pane beside it.
    pub pane: Pane,
    /// Whether the work area shows the editor, which has a height of its own.
    #[prop_or_default]
    pub tall: bool,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// How one divider works: its variable of the style sheet, its first, least and largest size, and whether a move to the
/// right or downwards makes the pane larger.
struct Rule {
    name: &'static str,
    first: i32,
    least: i32,
    most: i32,
    sign: i32,
    level: bool,
}

fn rule(pane: Pane, tall: bool) -> Rule {
    match pane {
        Pane::Work if tall => {
            Rule { name: "h-edit", first: 300, least: 96, most: 600, sign: -1, level: true }
        }
        Pane::Lesson => Rule { name: "w-lesson", first: 320, least: 240, most: 520, sign: 1, level: false },
        Pane::Inspector => {
            Rule { name: "w-inspect", first: 340, least: 260, most: 620, sign: -1, level: false }
        }
        Pane::Work => Rule { name: "h-work", first: 176, least: 96, most: 420, sign: -1, level: true },
    }
}

const STEP: i32 = 16;

/// The divider of a pane.
#[function_component(Divider)]
pub fn divider(props: &Props) -> Html {
    let rule = rule(props.pane, props.tall);
    let key = format!("size.{}", rule.name);
    let size = use_state(|| settings::kept(&key).and_then(|text| text.parse::<i32>().ok()));
    let held = use_state(|| None::<(i32, i32)>);
    {
        let (name, key) = (rule.name, key.clone());
        use_effect_with(*size, move |size| {
            let root =
                gloo::utils::document().document_element().and_then(|r| r.dyn_into::<HtmlElement>().ok());
            if let (Some(root), Some(size)) = (root, size) {
                // Where neither can be done the pane keeps the size of the style sheet.
                let _ = root.style().set_property(&format!("--{name}"), &format!("{size}px"));
                let _ = settings::keep(&key, &size.to_string());
            }
        });
    }
    let now = size.unwrap_or(rule.first);
    let clamp = move |value: i32| value.clamp(rule.least, rule.most);
    let along = move |event: &PointerEvent| if rule.level { event.client_y() } else { event.client_x() };
    let onpointerdown = {
        let held = held.clone();
        Callback::from(move |event: PointerEvent| {
            if let Some(line) = event.target().and_then(|t| t.dyn_into::<Element>().ok()) {
                // Without capture a fast drag ends where the pointer leaves the line.
                let _ = line.set_pointer_capture(event.pointer_id());
            }
            held.set(Some((along(&event), now)));
        })
    };
    let onpointermove = {
        let (held, size) = (held.clone(), size.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some((from, before)) = *held {
                size.set(Some(clamp(before + rule.sign * (along(&event) - from))));
            }
        })
    };
    let onpointerup = {
        let held = held.clone();
        Callback::from(move |_: PointerEvent| held.set(None))
    };
    let hide = {
        let pane = props.pane;
        on::<web_sys::MouseEvent>(&props.send, move || Action::Toggle(pane))
    };
    let onkeydown = {
        let (size, send, pane) = (size.clone(), props.send.clone(), props.pane);
        Callback::from(move |event: KeyboardEvent| {
            let by = match (event.key().as_str(), rule.level) {
                ("ArrowRight", false) | ("ArrowDown", true) => STEP,
                ("ArrowLeft", false) | ("ArrowUp", true) => -STEP,
                ("Home", _) => rule.sign * (rule.least - now),
                ("End", _) => rule.sign * (rule.most - now),
                ("Enter", _) => {
                    send.emit(Action::Toggle(pane));
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            size.set(Some(clamp(now + rule.sign * by)));
        })
    };
    let side = match props.pane {
        Pane::Lesson => "at-lesson",
        Pane::Inspector => "at-inspect",
        Pane::Work => "at-work",
    };
    let ui = props.lang.ui();
    let name = match props.pane {
        Pane::Lesson => ui.lesson,
        Pane::Inspector => ui.inspector,
        Pane::Work => ui.terminal,
    };
    html! {
        <div class={classes!("divider", side, held.is_some().then_some("is-held"))} role="separator" tabindex="0"
            aria-orientation={if rule.level { "horizontal" } else { "vertical" }} aria-label={format!("{name}: {}", ui.divider)}
            aria-valuemin={rule.least.to_string()} aria-valuemax={rule.most.to_string()} aria-valuenow={now.to_string()}
            {onpointerdown} {onpointermove} {onpointerup} ondblclick={hide} {onkeydown}/>
    }
}
