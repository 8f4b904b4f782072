//! What the last command led to, as steps: told one by one while they play, and afterwards a list in which each step
//! opens its reason, its moment and its place.

use lab::{
    view::beats::{Beat, BeatKind},
    words::{Lang, fill},
};
use yew::{Callback, Html, Properties, classes, function_component, html, use_state};

use crate::{
    app::{Action, on},
    widget::{Icon, icon, rich},
};

/// Steps that are listed; the feed has the rest.
const MOST: usize = 24;

/// What the steps are drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Every step of the last story.
    pub told: Vec<Beat>,
    /// The step that is told now.
    pub beat: Option<Beat>,
    /// Whether the story is being told.
    pub playing: bool,
    /// Whether nothing travels: then the list stands open.
    pub calm: bool,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The steps of the last story.
#[function_component(Story)]
pub fn story(props: &Props) -> Html {
    let Props { told, beat, playing, calm, lang, send } = props;
    let ui = lang.ui();
    let open = use_state(|| None::<bool>);
    let picked = use_state(|| None::<u64>);
    if let Some(beat) = beat.as_ref().filter(|_| *playing && !calm) {
        return html! { <p class="caption"><b>{lang.beat(beat.kind)}</b>{" "}<span class="mono">{beat.detail.clone()}</span></p> };
    }
    if told.is_empty() {
        return Html::default();
    }
    let shown = open.unwrap_or(*calm);
    let toggle = {
        let (open, send) = (open.clone(), send.clone());
        Callback::from(move |_| {
            open.set(Some(!shown));
            if shown {
                send.emit(Action::Seek(api::SimTime(u64::MAX)));
            }
        })
    };
    let step = |beat: &Beat| {
        let here = *picked == Some(key(beat));
        let onclick = {
            let (picked, send, beat) = (picked.clone(), send.clone(), beat.clone());
            Callback::from(move |_| {
                picked.set(Some(key(&beat)));
                send.emit(Action::Seek(beat.at));
                send.emit(Action::Select(Some(place(&beat))));
            })
        };
        html! {
            <li><button class={classes!(here.then_some("is-on"))} aria-pressed={here.to_string()} {onclick}>
                {lang.beat(beat.kind)}if named(beat) { {" "}<span class="mono">{beat.detail.clone()}</span> }</button></li>
        }
    };
    let why = told.iter().find(|beat| *picked == Some(key(beat))).map(|beat| lang.reason(&beat.reason));
    html! {
        <section class={classes!("story", shown.then_some("is-open"))} aria-label={ui.events}>
            <button class="tool" onclick={toggle} aria-expanded={shown.to_string()}>
                {icon(if shown { Icon::X } else { Icon::Menu }, "s12")}{fill(ui.story, told.len())}
            </button>
            if shown {
                <ol class="captions">{for told.iter().take(MOST).map(step)}
                    if told.len() > MOST { <li class="rest">{format!("+{}", told.len() - MOST)}</li> }</ol>
                if let Some(why) = why.filter(|why| !why.is_empty()) { <p role="status">{rich::sentence(&why)}</p> }
                if *calm { <button class="tool" onclick={on(send, || Action::Seek(api::SimTime(u64::MAX)))}>{ui.now}</button> }
            }
        </section>
    }
}

/// One number for a step of a story: several steps may stand for one fact.
fn key(beat: &Beat) -> u64 {
    beat.seq * 32 + beat.kind as u64
}

/// Whether a step's detail says more than its name: who asked is said in its reason.
fn named(beat: &Beat) -> bool {
    !matches!(
        beat.kind,
        BeatKind::Authentication | BeatKind::Authorization | BeatKind::Admission | BeatKind::Storage
    )
}

/// Where a step happens in the picture.
fn place(beat: &Beat) -> String {
    match beat.kind {
        BeatKind::Request
        | BeatKind::Authentication
        | BeatKind::Authorization
        | BeatKind::Admission
        | BeatKind::Refused => "ControlPlane/api".to_owned(),
        BeatKind::Storage => "ControlPlane/etcd".to_owned(),
        BeatKind::Door
        | BeatKind::Schedule
        | BeatKind::Bind
        | BeatKind::Address
        | BeatKind::Running
        | BeatKind::Misfit
        | BeatKind::Attach
        | BeatKind::Gone
        | BeatKind::Rules => beat.id.clone(),
    }
}
