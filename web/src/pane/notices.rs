//! What must be said over the page: trouble with a link or with storage, a long paste under way, a link to copy, and the small
//! windows of keys, search and branches.

use lab::{
    link::LinkError,
    view::outline::{find, outline},
    words::fill,
};
use web_sys::{HtmlInputElement, InputEvent, KeyboardEvent};
use yew::{Callback, Html, Properties, classes, function_component, html, use_state};

use crate::{
    app::{Action, App, Panel, on, target},
    desk::Trouble,
    settings::Storage,
    widget::{Icon, icon},
};

/// Everything that must be said.
pub fn notices(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let alert =
        |text: String| html! { <p class="notice" role="alert">{icon(Icon::Bang, "")}<span>{text}</span></p> };
    let storage = match app.settings.storage {
        Storage::Open => None,
        Storage::Full => Some(ui.storage_full),
        Storage::Blocked => Some(ui.storage_blocked),
    };
    html! {
        <div class="notices">
            {for app.desk.trouble.iter().map(|trouble| alert(self::trouble(app, trouble)))}
            if let Some(Trouble::NotBack(link)) = &app.desk.trouble { {field(ui.copy_by_hand, link.clone(), ui.share)} }
            {for storage.map(|text| alert(text.to_owned()))}
            if app.desk.misses().is_some() {
                <p class="notice" role="status">{icon(Icon::Clock, "")}<span>{ui.fetching}</span>
                    <button class="tool box" onclick={on(send, || Action::Stop)}>{ui.stop}</button></p>
            } else if let Some((done, all)) = app.desk.progress() {
                <p class="notice" role="status">{icon(Icon::Clock, "")}<span>{fill(ui.lines_done, format!("{done}/{all}"))}</span>
                    <button class="tool box" onclick={on(send, || Action::Stop)}>{ui.stop}</button></p>
            }
            if let Some((link, copied)) = &app.link {
                {field(if *copied { ui.copied } else { ui.copy_by_hand }, link.clone(), ui.share)}
            }
            {for app.panel.map(|panel| self::panel(app, panel, send))}
        </div>
    }
}

/// A text to be copied by hand.
fn field(label: &'static str, text: String, name: &'static str) -> Html {
    html! {
        <p class="notice">{icon(Icon::Share, "")}<label>{label}
            <input readonly=true class="share-link" value={text} aria-label={name}/></label></p>
    }
}

fn trouble(app: &App, trouble: &Trouble) -> String {
    let ui = app.ui();
    match trouble {
        Trouble::Link(LinkError::TooNew { version }) => {
            let reason = app.settings.lang.pick(
                format!("더 새로운 버전({version})으로 만든 링크입니다."),
                format!("It was made by a newer version ({version})."),
            );
            format!("{}: {reason}", ui.broken_link)
        }
        Trouble::Link(LinkError::Damaged { good }) => {
            let lines = good.as_ref().map_or(0, |good| good.lines.len());
            let reason = app.settings.lang.pick(
                format!("링크가 손상되었습니다. 읽을 수 있는 명령 {lines}개까지 열었습니다."),
                format!("It is damaged; the {lines} commands that could be read are here."),
            );
            format!("{}: {reason}", ui.broken_link)
        }
        Trouble::NoPage => ui.no_page.to_owned(),
        Trouble::NoLesson(slug) => fill(ui.no_lesson, slug),
        Trouble::NoWorld(name) => fill(ui.no_world, name),
        Trouble::Ended(line) => fill(ui.ended, line.lines().next().unwrap_or_default()),
        Trouble::NotBack(_) => ui.not_back.to_owned(),
        Trouble::NotBrought => ui.kept_as_it_was.to_owned(),
    }
}

fn panel(app: &App, panel: Panel, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let (title, inner) = match panel {
        Panel::Keys => (ui.keys_title, keys(app, send)),
        Panel::Branches => (ui.branches, branches(app, send)),
        Panel::Find => {
            let items = outline(&app.scene());
            let names: Vec<_> =
                items.into_iter().map(|it| (app.settings.lang.entry(&it.entry), it)).collect();
            (ui.find, html! { <Find {names} lang={app.settings.lang} send={send.clone()}/> })
        }
    };
    html! {
        <div class={classes!("notice", "keys", "panel")} role="dialog" aria-label={title}>
            <b>{title}</b>{inner}
            <button class="tool box" onclick={on(send, || Action::Open(None))}>{ui.close}</button>
        </div>
    }
}

fn keys(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let wanted = app.settings.letters;
    html! {
        <>
            <ul class="key-list">{for ui.keys_text.split(" · ").map(|line| html! { <li>{line}</li> })}</ul>
            <label><input type="checkbox" checked={wanted} onchange={on(send, move || Action::Letters(!wanted))}/>{" "}{ui.letters}</label>
        </>
    }
}

fn branches(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let (here, left) = app.desk.session().branches();
    let row = |index: usize, branch: &lab::session::Branch| {
        html! {
            <li><button class="link" onclick={on(send, move || Action::Branch(index))}>
                {fill(ui.branch_left, &branch.name)}</button>
                {" "}{fill(ui.branch_lines, branch.lines.len())}{" · "}{super::feed::clock(branch.head)}</li>
        }
    };
    html! {
        <>
            if left.is_empty() { <p>{ui.no_branches}</p> }
            <ul class="key-list">
                <li aria-current="true"><b>{here.to_owned()}</b>{" "}{fill(ui.branch_lines, app.desk.session().lines().len())}
                    {" · "}{super::feed::clock(app.desk.session().head())}</li>
                {for left.iter().enumerate().map(|(index, branch)| row(index, branch))}
            </ul>
        </>
    }
}

/// What the search is drawn from.
#[derive(Clone, PartialEq, Properties)]
struct FindProps {
    /// Every line of the outline and how it is said.
    names: Vec<(String, lab::view::outline::Item)>,
    /// In which language.
    lang: lab::words::Lang,
    /// Where actions go.
    send: Callback<Action>,
}

/// Most finds that are listed.
const MOST: usize = 8;

/// A field and what it finds; Enter takes the one that is marked.
#[function_component(Find)]
fn find_pane(props: &FindProps) -> Html {
    let ui = props.lang.ui();
    let sought = use_state(String::new);
    let at = use_state(|| 0_usize);
    let items: Vec<_> = props.names.iter().map(|(_, item)| item.clone()).collect();
    let found: Vec<(String, String)> = find(&items, &sought)
        .into_iter()
        .take(MOST)
        .filter_map(|it| {
            Some((it.id.clone(), props.names.iter().find(|(_, item)| item.id == it.id)?.0.clone()))
        })
        .collect();
    let take = |id: Option<String>, send: &Callback<Action>| {
        if let Some(id) = id {
            send.emit(Action::Found(id));
        }
    };
    let oninput = {
        let (sought, at) = (sought.clone(), at.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = target::<HtmlInputElement>(&event) {
                sought.set(input.value());
                at.set(0);
            }
        })
    };
    let onkeydown = {
        let (at, send) = (at.clone(), props.send.clone());
        let ids: Vec<String> = found.iter().map(|(id, _)| id.clone()).collect();
        Callback::from(move |event: KeyboardEvent| {
            let count = ids.len().max(1);
            match event.key().as_str() {
                "ArrowDown" => at.set((*at + 1) % count),
                "ArrowUp" => at.set((*at + count - 1) % count),
                "Enter" if !event.is_composing() => take(ids.get(*at).cloned(), &send),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let option = |(index, (id, name)): (usize, &(String, String))| {
        let (id, send) = (id.clone(), props.send.clone());
        let onclick = Callback::from(move |_| take(Some(id.clone()), &send));
        html! {
            <li id={format!("found-{index}")} role="option" aria-selected={(index == *at).to_string()}
                class={classes!((index == *at).then_some("is-on"))} {onclick}>{name.clone()}</li>
        }
    };
    html! {
        <>
            <input class="share-link" role="combobox" aria-label={ui.find} aria-expanded={(!found.is_empty()).to_string()}
                aria-controls="found" aria-activedescendant={(!found.is_empty()).then(|| format!("found-{}", *at))}
                autocomplete="off" spellcheck="false" value={(*sought).clone()} {oninput} {onkeydown}/>
            <ul class="key-list" role="listbox" id="found" aria-label={ui.find}>{for found.iter().enumerate().map(option)}</ul>
        </>
    }
}
