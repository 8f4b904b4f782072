//! The terminal: a real input below what was printed. Names in the output lead to their things in the scene.

use cluster::World;
use lab::{
    Session, script,
    words::{Lang, fill},
};
use shell::{Machine, Stream};
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, HtmlElement, HtmlInputElement, InputEvent, KeyboardEvent};
use yew::{
    Callback, Html, Properties, classes, function_component, html, use_effect_with, use_mut_ref,
    use_node_ref, use_state,
};

use crate::{
    app::{Action, target},
    desk::{Entry, Remark, Told},
    route::Route,
    widget::{Icon, icon},
};

/// What completion looks at: the machine and the world after the last command.
#[derive(Clone)]
pub struct Completer {
    machine: Machine,
    world: World,
    after: (usize, usize),
}

impl Completer {
    /// The machine and the world of a session as they are now.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self {
            machine: session.machine().clone(),
            world: session.world().clone(),
            after: (session.lines().len(), session.facts().len()),
        }
    }
}

impl PartialEq for Completer {
    fn eq(&self, other: &Self) -> bool {
        self.after == other.after
    }
}

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
    /// A character that a key of the page puts where the cursor is. Its number makes it new.
    pub inserted: (u32, &'static str),
    /// Knows what may follow.
    pub completer: Completer,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// Most words that are shown of those that may follow.
const MOST_OFFERS: usize = 60;

/// A text before and after a cursor, which browsers count in units of UTF-16.
fn split_at_unit(text: &str, cursor: usize) -> (&str, &str) {
    let mut units = 0;
    let at = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > cursor
    });
    text.split_at(at.map_or(text.len(), |(at, _)| at))
}

/// What was typed with these letters in it, newest first: the one after `passed` others that differ.
fn sought<'h>(history: &'h [String], letters: &str, passed: usize) -> Option<&'h String> {
    let mut seen: Vec<&String> = Vec::new();
    let with = history
        .iter()
        .rev()
        .filter(|line| !letters.is_empty() && !line.contains('\n') && line.contains(letters));
    for line in with {
        if !seen.contains(&line) {
            seen.push(line);
        }
        if seen.len() > passed {
            break;
        }
    }
    seen.get(passed).copied()
}

fn selection_is_empty(event: &KeyboardEvent) -> bool {
    target::<HtmlInputElement>(event).is_none_or(|it| it.selection_start().ok() == it.selection_end().ok())
}

/// The terminal.
#[function_component(Terminal)]
pub fn terminal(props: &Props) -> Html {
    let ui = props.lang.ui();
    let line = use_state(String::new);
    let place = use_mut_ref(|| None::<usize>);
    let offers = use_state(Vec::<String>::new);
    // How many finds of a search through what was typed are passed over; none: nothing is searched.
    let search = use_state(|| None::<usize>);
    let found = search.and_then(|passed| sought(&props.history, &line, passed)).cloned();
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
                if let Some(input) = input.cast::<HtmlElement>().filter(|_| !text.is_empty()) {
                    // An element that cannot take focus keeps it where it was.
                    let _ = input.focus();
                }
            }
        });
    }
    {
        let (line, input) = (line.clone(), input.clone());
        let done = use_mut_ref(|| props.inserted.0);
        use_effect_with(props.inserted, move |(number, symbol)| {
            let Some(input) = input.cast::<HtmlInputElement>().filter(|_| done.replace(*number) != *number)
            else {
                return;
            };
            let typed = input.value();
            let cursor = input.selection_start().ok().flatten().unwrap_or(u32::MAX);
            let (before, after) = split_at_unit(&typed, cursor as usize);
            line.set(format!("{before}{symbol}{after}"));
            input.set_value(&format!("{before}{symbol}{after}"));
            // A field that cannot take focus or place its cursor leaves both where they were.
            let _ = input.focus();
            let end = (before.encode_utf16().count() + symbol.len()) as u32;
            let _ = input.set_selection_range(end, end);
        });
    }
    let oninput = {
        let (line, offers, search) = (line.clone(), offers.clone(), search.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = target::<HtmlInputElement>(&event) {
                line.set(input.value());
                offers.set(Vec::new());
                if search.is_some() {
                    search.set(Some(0));
                }
            }
        })
    };
    let run = {
        let (line, place, send, offers) = (line.clone(), place.clone(), props.send.clone(), offers.clone());
        let search = search.clone();
        move |text: String| {
            search.set(None);
            *place.borrow_mut() = None;
            line.set(String::new());
            offers.set(Vec::new());
            send.emit(Action::Run(text));
        }
    };
    let onpaste = {
        let (run, line, send) = (run.clone(), line.clone(), props.send.clone());
        Callback::from(move |event: web_sys::Event| {
            let Some(event) = event.dyn_ref::<ClipboardEvent>() else { return };
            let Some(text) = event.clipboard_data().and_then(|data| data.get_data("text").ok()) else {
                return;
            };
            if text.len() > script::LONGEST_PASTE {
                // What is typed already stays.
                event.prevent_default();
                return send.emit(Action::TooLong);
            }
            if text.trim_end_matches(['\n', '\r']).contains('\n') || text.len() > 10_000 {
                event.prevent_default();
                run(format!("{}{}", *line, text.replace("\r\n", "\n")));
            }
        })
    };
    let onkeydown = {
        let (line, place, run, offers) = (line.clone(), place.clone(), run.clone(), offers.clone());
        let (history, complete, send) = (props.history.clone(), props.completer.clone(), props.send.clone());
        let (search, found) = (search.clone(), found.clone());
        Callback::from(move |event: KeyboardEvent| {
            // While a Korean syllable is being composed, Enter belongs to the composition.
            if event.is_composing() {
                return;
            }
            if event.code() == "KeyR" && event.ctrl_key() {
                event.prevent_default();
                if search.is_none() {
                    line.set(String::new());
                }
                let next = search.map_or(0, |passed| passed + 1);
                return search.set(Some(if sought(&history, &line, next).is_some() {
                    next
                } else {
                    search.unwrap_or(0)
                }));
            }
            if search.is_some() {
                let take = match event.key().as_str() {
                    "Enter" => {
                        event.prevent_default();
                        return run(found.clone().unwrap_or_default());
                    }
                    "Escape" => String::new(),
                    "g" | "c" if event.ctrl_key() => String::new(),
                    "Tab" | "ArrowRight" | "ArrowLeft" | "ArrowUp" | "ArrowDown" | "Home" | "End" => {
                        found.clone().unwrap_or_default()
                    }
                    _ => return,
                };
                event.prevent_default();
                line.set(take);
                return search.set(None);
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
                // Where nothing can follow, Tab leads on as everywhere: no trap.
                "Tab" if !event.shift_key() && !line.trim().is_empty() => {
                    let Some(input) = target::<HtmlInputElement>(&event) else { return };
                    let typed = input.value();
                    let cursor = input.selection_start().ok().flatten().unwrap_or(u32::MAX) as usize;
                    let (before, after) = split_at_unit(&typed, cursor);
                    let found = shell::complete(before, &complete.machine, &complete.world);
                    if found.offers.is_empty() {
                        return;
                    }
                    event.prevent_default();
                    line.set(format!("{}{after}", found.line));
                    input.set_value(&format!("{}{after}", found.line));
                    let end = found.line.encode_utf16().count() as u32;
                    // A field that cannot place its cursor leaves it at the end.
                    let _ = input.set_selection_range(end, end);
                    offers.set(if found.offers.len() > 1 { found.offers } else { Vec::new() });
                }
                "c" if event.ctrl_key() && selection_is_empty(&event) => {
                    line.set(String::new());
                    send.emit(Action::Interrupt);
                }
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
                {for props.entries.iter().map(|entry| self::entry(entry, props.lang, &props.send))}
            </div>
            if !offers.is_empty() {
                <div class="offers-line dim" role="status" aria-label={ui.completions}>
                    {for offers.iter().take(MOST_OFFERS).map(|offer| html! { <span>{offer.clone()}{" "}</span> })}
                    if offers.len() > MOST_OFFERS { <span>{format!("… {}", offers.len())}</span> }</div>
            }
            <div class="prompt">
                if search.is_some() { <span class="dim">{"(reverse-i-search)"}</span> }
                else { <span class="p" aria-hidden="true">{if props.open { ">" } else { "$" }}</span> }
                <input ref={input} id="command" class="command" aria-label={ui.command_line} autocomplete="off"
                    autocapitalize="off" spellcheck="false" enterkeyhint="go" value={(*line).clone()} {oninput} {onkeydown} {onpaste}/>
                if search.is_some() { <output class="found" role="status">{found.unwrap_or_default()}</output> }
                <button class="btn run" aria-label={ui.run} onclick={on_run}>
                    {icon(Icon::Cmd, "")}</button>
            </div>
        </div>
    }
}

/// The way from a line to its requests; a refusal says where it stopped.
fn asked(told: Told, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let words = match (told.stopped, told.count) {
        (Some(stage), _) => format!("✕ {}", lang.stage(stage)),
        (None, 1) => ui.one_request.to_owned(),
        (None, count) => fill(ui.requests, count),
    };
    let send = send.clone();
    let onclick = Callback::from(move |event: web_sys::MouseEvent| {
        event.stop_propagation();
        send.emit(Action::Select(Some(format!("Request/{}", told.seq))));
        send.emit(Action::Inspect);
    });
    html! { <button class={classes!("asked", told.stopped.map(|_| "is-no"))} {onclick}>{icon(Icon::Api, "s12")}{words}</button> }
}

/// One entry, as the terminal shows it.
pub(super) fn entry(entry: &Entry, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    match entry {
        Entry::Typed(line, told) => {
            let mut rows = line.lines();
            html! {
                <div class="typed">if let Some(told) = told { {asked(*told, lang, send)} }<span class="p">{"$ "}</span><b>{rows.next().unwrap_or_default().to_owned()}</b>
                    {for rows.map(|row| html! { <><br/><span class="p">{"> "}</span>{row.to_owned()}</> })}
                </div>
            }
        }
        Entry::Printed(stream, pieces) => {
            let piece = |piece: &lab::view::names::Piece| match &piece.id {
                Some(id) => {
                    let (id, send) = (id.clone(), send.clone());
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
                let (text, send) = (text.to_owned(), send.clone());
                let onclick = Callback::from(move |_| send.emit(Action::Type(text.clone())));
                html! { <button class="link" {onclick}>{label.to_owned()}</button> }
            };
            let inner = match remark {
                Remark::Nearest(all) => html! {
                    <>{ui.did_you_mean}{" "}{for all.iter().take(3).map(|name| html! { <>{offer(name, name)}{" "}</> })}</>
                },
                Remark::NotSimulated(what) => html! {
                    <><a href={Route::Coverage.hash()}>{ui.not_simulated}</a>{format!(": {what}")}</>
                },
                Remark::Reindent(name, text) => {
                    let (name, text, send) = (name.clone(), text.clone(), send.clone());
                    let onclick =
                        Callback::from(move |_| send.emit(Action::Edit(name.clone(), text.clone())));
                    html! { <>{ui.lost_indentation}{" "}<button class="link" {onclick}>{ui.reindent}</button></> }
                }
                Remark::Editing(command) => html! { {fill(ui.editing, command)} },
                Remark::Stopped(limit) => html! { {fill(ui.stopped_at, limit)} },
                Remark::TooLong => html! { {ui.too_long} },
                Remark::NotBrought => html! { {ui.not_fetched} },
                Remark::Branch(name) => html! { {fill(ui.branch_opened, name)} },
                Remark::Undone(line) => {
                    html! { {fill(ui.back_before, line.lines().next().unwrap_or_default())} }
                }
            };
            html! { <div class="remark">{inner}</div> }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_goes_back_through_lines_that_differ() {
        let history = ["get a", "get b", "apply", "get b"].map(str::to_owned);
        let found = |letters, passed| sought(&history, letters, passed).map(String::as_str);
        assert_eq!([0, 1, 2].map(|passed| found("get", passed)), [Some("get b"), Some("get a"), None]);
        assert_eq!(found("", 0), None);
    }

    #[test]
    fn a_cursor_is_counted_as_browsers_count() {
        assert_eq!(split_at_unit("get 파드 x", 6), ("get 파드", " x"));
        assert_eq!(split_at_unit("a😀b", 3), ("a😀", "b"));
        assert_eq!(split_at_unit("ab", 9), ("ab", ""));
    }
}
