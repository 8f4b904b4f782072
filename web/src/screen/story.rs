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

/// What the steps are drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Every step of the last story.
    pub told: Vec<Beat>,
    /// The step that is told now.
    pub beat: Option<Beat>,
    /// Whether the story is being told.
    pub playing: bool,
    /// Where a story that waits for steps is: steps told, and all of them.
    pub held: Option<(usize, usize)>,
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
    let Props { told, beat, playing, held, calm, lang, send } = props;
    let ui = lang.ui();
    let open = use_state(|| None::<bool>);
    let picked = use_state(|| None::<u64>);
    if let Some(beat) = beat.as_ref().filter(|_| *playing && !calm) {
        return html! { <p class="caption"><b>{lang.beat(beat.kind)}</b>{" "}<span class="mono">{beat.detail.clone()}</span></p> };
    }
    if let Some(at) = held {
        return stepper(*at, beat.as_ref(), *lang, send);
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
    let steps = grouped(told);
    let step = |all: &Vec<&Beat>| {
        let first = all[0];
        let at = all.iter().position(|beat| *picked == Some(key(beat)));
        // Again on the same step: the next of its kind.
        let next = all[at.map_or(0, |at| (at + 1) % all.len())].clone();
        let onclick = {
            let (picked, send) = (picked.clone(), send.clone());
            Callback::from(move |_| {
                picked.set(Some(key(&next)));
                send.emit(Action::Seek(next.at));
                send.emit(Action::Select(Some(place(&next))));
            })
        };
        let many = if all.len() > 1 {
            at.map_or_else(|| format!("×{}", all.len()), |at| format!("{}/{}", at + 1, all.len()))
        } else if named(first) {
            first.detail.clone()
        } else {
            String::new()
        };
        html! {
            <li><button class={classes!(at.is_some().then_some("is-on"))} aria-pressed={at.is_some().to_string()} {onclick}>
                {lang.beat(first.kind)}if !many.is_empty() { {" "}<span class="mono">{many}</span> }</button></li>
        }
    };
    let why = told.iter().find(|beat| *picked == Some(key(beat))).map(|beat| lang.reason(&beat.reason));
    html! {
        <section class={classes!("story", shown.then_some("is-open"))} aria-label={ui.events}>
            <button class="tool" onclick={toggle} aria-expanded={shown.to_string()}>
                {icon(if shown { Icon::X } else { Icon::Menu }, "s12")}{fill(ui.story, told.len())}
            </button>
            if shown {
                <ol class="captions">{for steps.iter().map(step)}</ol>
                if let Some(why) = why.filter(|why| !why.is_empty()) { <p role="status">{rich::sentence(&why)}</p> }
            }
        </section>
    }
}

/// A story that waits: the step that is shown, why it happened, and the way on and back.
fn stepper((next, all): (usize, usize), beat: Option<&Beat>, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let why = beat.map(|beat| lang.reason(&beat.reason)).unwrap_or_default();
    html! {
        <section class="story is-step" aria-label={ui.step_by_step}>
            <div class="stepper">
                <button class="tool" aria-label={ui.previous_event} onclick={on(send, || Action::Step(false))} disabled={next == 0}>{icon(Icon::Prev, "")}</button>
                <span class="mono">{format!("{next}/{all}")}</span>
                <b>{beat.map_or(ui.story_begins, |beat| lang.beat(beat.kind))}</b>
                if let Some(beat) = beat.filter(|beat| named(beat) && !matches!(beat.kind, BeatKind::Request | BeatKind::Refused)) {
                    <span class="mono dim">{beat.detail.clone()}</span>
                }
                <span class="grow"/>
                <button class="btn small" onclick={on(send, || Action::Step(true))}>
                    {if next < all { ui.next_step } else { ui.story_ends }}<kbd>{"→"}</kbd></button>
            </div>
            <p role="status">{rich::sentence(&why)}</p>
        </section>
    }
}

/// The steps by their kind, in the order in which each kind came first.
fn grouped(told: &[Beat]) -> Vec<Vec<&Beat>> {
    let mut all: Vec<Vec<&Beat>> = Vec::new();
    for beat in told {
        match all.iter_mut().find(|group| group[0].kind == beat.kind) {
            Some(group) => group.push(beat),
            None => all.push(vec![beat]),
        }
    }
    all
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

/// What a step is about, as the inspector shows it.
pub fn place(beat: &Beat) -> String {
    match beat.kind {
        BeatKind::Request
        | BeatKind::Authentication
        | BeatKind::Authorization
        | BeatKind::Admission
        | BeatKind::Storage
        | BeatKind::Refused => format!("Request/{}", beat.seq),
        BeatKind::Door
        | BeatKind::Schedule
        | BeatKind::Bind
        | BeatKind::Kubelet
        | BeatKind::Address
        | BeatKind::Running
        | BeatKind::Misfit
        | BeatKind::Attach
        | BeatKind::Gone
        | BeatKind::Rules => beat.id.clone(),
    }
}
