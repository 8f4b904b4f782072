//! The feed: what the cluster said aloud, by the command that came before. Newest last.

use api::SimTime;
use lab::{
    view::{
        feed::{FeedGroup, Tone},
        pod::short_name,
    },
    words::Lang,
};
use yew::{Callback, Html, classes, html};

use crate::{
    app::{Action, on},
    widget::{Icon, icon},
};

/// `0:41`.
pub fn clock(at: SimTime) -> String {
    let secs = at.0 / 1000;
    format!("{}:{:02}", secs / 60, secs % 60)
}

/// The feed; the last `most` events.
pub fn feed(groups: &[FeedGroup], most: usize, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let whole: usize = groups.iter().map(|g| g.events.len()).sum();
    let mut skip = whole.saturating_sub(most);
    let group = |group: &FeedGroup| {
        let hide = skip.min(group.events.len());
        skip -= hide;
        if hide == group.events.len() {
            return Html::default();
        }
        html! {
            <>
                if let Some(command) = &group.command {
                    <div class="grp">
                        {lang.pick(html! { <><code>{first_words(command)}</code>{format!(" {} · {}", ui.because_of, group.events.len())}</> },
                            html! { <>{format!("{} ", ui.because_of)}<code>{first_words(command)}</code>{format!(" · {}", group.events.len())}</> })}
                    </div>
                }
                {for group.events.iter().skip(hide).map(|event| {
                    let id = event.about.clone();
                    let warning = event.tone == Tone::Warning;
                    let message = lang.node_step(&event.reason, &event.detail).unwrap_or_else(|| event.message.clone());
                    html! {
                        <div class={classes!("ev", if warning { "warn" } else { "ok" })}>
                            <time>{clock(event.at)}</time>
                            {icon(if warning { Icon::Clock } else { Icon::Check }, "")}
                            <span title={message.clone()}>
                                <button class="link" onclick={on(send, move || Action::Select(Some(id.clone())))}>
                                    {short_name(&event.name, 18)}</button>
                                {format!(" {} · {}", event.reason, message)}
                            </span>
                            {for event.asked.map(|seq| request(seq, lang, send))}
                        </div>
                    }
                })}
            </>
        }
    };
    html! { if whole == 0 { <p class="note">{ui.no_events}</p> } else { {for groups.iter().map(group)} } }
}

/// The way to the request that led to something.
fn request(seq: u64, lang: Lang, send: &Callback<Action>) -> Html {
    let (words, send) = (lang.ui().its_request, send.clone());
    let onclick = Callback::from(move |_: web_sys::MouseEvent| {
        send.emit(Action::Select(Some(format!("Request/{seq}"))));
        send.emit(Action::Inspect);
    });
    html! { <button class="its-request" aria-label={words} title={words} {onclick}>{icon(Icon::Api, "s12")}</button> }
}

fn first_words(command: &str) -> String {
    command.lines().next().unwrap_or_default().split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
