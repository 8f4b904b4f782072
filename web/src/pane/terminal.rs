//! The terminal: a real input below what was printed. Names in the output lead to their things in the scene.

use lab::words::{Lang, fill};
use shell::Stream;
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, HtmlElement, HtmlInputElement, InputEvent, KeyboardEvent};
use yew::{
    Callback, Html, Properties, function_component, html, use_effect_with, use_mut_ref, use_node_ref,
    use_state,
};

use crate::{
    app::{Action, target},
    desk::{Entry, Remark},
};

/// What the terminal is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What was typed and printed.
    pub entries: Vec<Entry>,
    /// What was typed, oldest first.
    pub history: Vec<String>,
    /// Whether a here-document is open.
    pub open: bool,
    /// What someone else typed into the line: a hint, the solution, a chip. Its number makes it new.
    pub typed: (u32, String),
    /// Words that may follow; the first is put in by Tab.
    #[prop_or_default]
    pub complete: Option<Callback<String, Vec<String>>>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The terminal.
#[function_component(Terminal)]
pub fn terminal(props: &Props) -> Html {
    let ui = props.lang.ui();
    let line = use_state(String::new);
    let place = use_mut_ref(|| None::<usize>);
    let log = use_node_ref();
    let input = use_node_ref();
    {
        let log = log.clone();
        use_effect_with((props.entries.len(), props.open), move |_| {
            if let Some(log) = log.cast::<HtmlElement>() {
                log.set_scroll_top(log.scroll_height());
            }
        });
    }
    {
        let (line, input) = (line.clone(), input.clone());
        use_effect_with(props.typed.clone(), move |(number, text)| {
            if *number > 0 {
                line.set(text.clone());
                if let Some(input) = input.cast::<HtmlElement>() {
                    // An element that cannot take focus keeps it where it was.
                    let _ = input.focus();
                }
            }
        });
    }
    let oninput = {
        let line = line.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = target::<HtmlInputElement>(&event) {
                line.set(input.value());
            }
        })
    };
    let run = {
        let (line, place, send) = (line.clone(), place.clone(), props.send.clone());
        move |text: String| {
            *place.borrow_mut() = None;
            line.set(String::new());
            send.emit(Action::Run(text));
        }
    };
    let onpaste = {
        let (run, line) = (run.clone(), line.clone());
        Callback::from(move |event: web_sys::Event| {
            let Some(event) = event.dyn_ref::<ClipboardEvent>() else { return };
            let Some(text) = event.clipboard_data().and_then(|data| data.get_data("text").ok()) else {
                return;
            };
            if text.trim_end_matches(['\n', '\r']).contains('\n') || text.len() > 10_000 {
                event.prevent_default();
                run(format!("{}{}", *line, text.replace("\r\n", "\n")));
            }
        })
    };
    let onkeydown = {
        let (line, place, run) = (line.clone(), place.clone(), run.clone());
        let (history, complete) = (props.history.clone(), props.complete.clone());
        Callback::from(move |event: KeyboardEvent| {
            // While a Korean syllable is being composed, Enter belongs to the composition.
            if event.is_composing() {
                return;
            }
            match event.key().as_str() {
                "Enter" => {
                    event.prevent_default();
                    let typed = target::<HtmlInputElement>(&event).map_or((*line).clone(), |i| i.value());
                    run(typed);
                }
                "ArrowUp" | "ArrowDown" => {
                    event.prevent_default();
                    let up = event.key() == "ArrowUp";
                    let single: Vec<&String> = history.iter().filter(|h| !h.contains('\n')).collect();
                    let mut at = place.borrow_mut();
                    let next = match (*at, up) {
                        (None, true) => single.len().checked_sub(1),
                        (None, false) => None,
                        (Some(index), true) => Some(index.saturating_sub(1)),
                        (Some(index), false) if index + 1 < single.len() => Some(index + 1),
                        (Some(_), false) => None,
                    };
                    *at = next;
                    line.set(next.and_then(|i| single.get(i)).map(|s| (*s).clone()).unwrap_or_default());
                }
                "Tab" if !event.shift_key() && !line.is_empty() => {
                    if let Some(complete) = &complete {
                        let offers = complete.emit((*line).clone());
                        if let Some(first) = offers.first() {
                            event.prevent_default();
                            line.set(first.clone());
                        }
                    }
                }
                "c" if event.ctrl_key() => line.set(String::new()),
                _ => {}
            }
        })
    };
    let onclick = {
        let input = input.clone();
        Callback::from(move |_| {
            let selecting =
                gloo::utils::window().get_selection().ok().flatten().is_some_and(|s| !s.is_collapsed());
            if let Some(input) = input.cast::<HtmlElement>().filter(|_| !selecting) {
                let _ = input.focus();
            }
        })
    };
    let on_run = {
        let (line, run) = (line.clone(), run);
        Callback::from(move |_| run((*line).clone()))
    };
    html! {
        <div class="term" {onclick}>
            <div class="log" ref={log} role="log" aria-label={ui.terminal} tabindex="0">
                {for props.entries.iter().map(|entry| self::entry(entry, props))}
            </div>
            <div class="prompt">
                <span class="p" aria-hidden="true">{if props.open { ">" } else { "$" }}</span>
                <input ref={input} id="command" class="command" aria-label={ui.command_line} autocomplete="off"
                    autocapitalize="off" spellcheck="false" enterkeyhint="go" value={(*line).clone()} {oninput} {onkeydown} {onpaste}/>
                <button class="btn run" aria-label={ui.run} onclick={on_run}>
                    {crate::widget::icon(crate::widget::Icon::Cmd, "")}</button>
            </div>
        </div>
    }
}

fn entry(entry: &Entry, props: &Props) -> Html {
    let ui = props.lang.ui();
    match entry {
        Entry::Typed(line) => {
            let mut rows = line.lines();
            html! {
                <div class="typed"><span class="p">{"$ "}</span><b>{rows.next().unwrap_or_default().to_owned()}</b>
                    {for rows.map(|row| html! { <><br/><span class="p">{"> "}</span>{row.to_owned()}</> })}
                </div>
            }
        }
        Entry::Printed(stream, pieces) => {
            let piece = |piece: &lab::view::names::Piece| match &piece.id {
                Some(id) => {
                    let (id, send) = (id.clone(), props.send.clone());
                    let onclick = Callback::from(move |event: web_sys::MouseEvent| {
                        event.stop_propagation();
                        send.emit(Action::Select(Some(id.clone())));
                    });
                    html! { <button class="link" {onclick}>{piece.text.clone()}</button> }
                }
                None => html! { {piece.text.clone()} },
            };
            html! { <div class={if *stream == Stream::Err { "rd" } else { "" }}>{for pieces.iter().map(piece)}</div> }
        }
        Entry::Remark(remark) => {
            let offer = |text: &str, label: &str| {
                let (text, send) = (text.to_owned(), props.send.clone());
                let onclick = Callback::from(move |_| send.emit(Action::Type(text.clone())));
                html! { <button class="link" {onclick}>{label.to_owned()}</button> }
            };
            let inner = match remark {
                Remark::Nearest(all) => html! {
                    <>{ui.did_you_mean}{" "}{for all.iter().take(3).map(|name| html! { <>{offer(name, name)}{" "}</> })}</>
                },
                Remark::NotSimulated(what) => html! { {format!("{}: {what}", ui.not_simulated)} },
                Remark::Reindent(name, text) => {
                    let (name, text, send) = (name.clone(), text.clone(), props.send.clone());
                    let onclick =
                        Callback::from(move |_| send.emit(Action::Edit(name.clone(), text.clone())));
                    html! { <>{ui.lost_indentation}{" "}<button class="link" {onclick}>{ui.reindent}</button></> }
                }
                Remark::Stopped(limit) => html! { {fill(ui.stopped_at, limit)} },
                Remark::TooLong => html! { {ui.too_long} },
                Remark::Undone(line) => {
                    html! { {fill(ui.back_before, line.lines().next().unwrap_or_default())} }
                }
            };
            html! { <div class="remark">{inner}</div> }
        }
    }
}

/// Focuses the command line.
pub fn focus() {
    let found =
        gloo::utils::document().get_element_by_id("command").and_then(|e| e.dyn_into::<HtmlElement>().ok());
    if let Some(input) = found {
        let _ = input.focus();
    }
}
