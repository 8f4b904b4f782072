//! The control plane: a band with everything in a row, or on a narrow page boxes above the door with the scheduler in its frame.

use api::kinds::sim::PartRole;
use lab::{
    view::scene::{ControlPlaneBand, PartMark, Rect},
    words::Ui,
};
use yew::{Html, classes, html};

use super::shapes::{at, badge, plate, tail, text};
use crate::widget::{Icon, mark};

/// How many stages the last request has passed, and whether it was refused at the next.
type Told = (u8, bool);

/// The control plane as there is room for it.
pub(super) fn plane(band: &ControlPlaneBand, ui: &Ui, told: Told) -> Html {
    if band.rect.w > 0 { wide(band, ui, told) } else { narrow(band, ui, told) }
}

fn narrow(band: &ControlPlaneBand, ui: &Ui, told: Told) -> Html {
    let off = |role: PartRole| !band.imported && !band.works(role);
    let s = band.scheduler;
    html! {
        <g class="is-narrow" data-id="ControlPlane">
            {service_part(band.api, (0, 0), "ControlPlane/api", (Icon::Api, ui.api_server, 18), off(PartRole::ApiServer), ticks(told, 31))}
            {service_part(band.etcd, (0, 0), "ControlPlane/etcd", (Icon::Etcd, "etcd", 18), off(PartRole::Etcd), stored(told.0, 31))}
            {service_part(band.controllers, (0, 0), "ControlPlane/controller-manager", (Icon::Loop, ui.controller_manager, 26),
                off(PartRole::ControllerManager), Html::default())}
            {door(band, ui)}
            <g class={classes!("k-part", off(PartRole::Scheduler).then_some("is-off"))} data-id="ControlPlane/scheduler" transform={at(s.x, s.y)}>
                {plate(s.w, s.h, "card is-small")}{mark(Icon::Funnel, s.w / 2 - 8, 7, 16)}{text(s.w / 2, 36, "pt mid small", ui.scheduler)}
                if off(PartRole::Scheduler) { {badge("fail", s.w - 2, 2, "1")} }
            </g>
            {for band.parts.iter().filter(|part| !part.letter.is_empty()).map(|part| member(part, 0, 0, ui))}
            {quorum(band, 0, 0)}
        </g>
    }
}

/// One tick for each of the stages before the store.
fn ticks((stages, refused): Told, y: i32) -> Html {
    html! {
        <g class="ticks">{for (0..3u8).map(|n| html! {
            <circle class={classes!("tick", (stages > n).then_some("is-on"), (refused && stages == n).then_some("is-no"))} r="3.5"
                cx={(38 + i32::from(n) * 12).to_string()} cy={y.to_string()}/>
        })}</g>
    }
}

/// The tick of what is written down.
fn stored(stages: u8, y: i32) -> Html {
    html! { <circle class={classes!("tick", (stages > 3).then_some("is-on"))} r="3.5" cx="38" cy={y.to_string()}/> }
}

fn wide(band: &ControlPlaneBand, ui: &Ui, (stages, refused): Told) -> Html {
    let Rect { x, y, w, h } = band.rect;
    let wire =
        |from: Rect, to: Rect| format!("M{} {}H{}", from.x + from.w - x, band.api.y + 19 - y, to.x - x);
    // Whether an imported cluster's parts run nobody said: the band's title does.
    let off = |role: PartRole| !band.imported && !band.works(role);
    // A box without marks of several parts has its words in the middle.
    let lift = |role: PartRole| if band.running(role).1 > 1 { 0 } else { 17 };
    html! {
        <g class={classes!("k-aws", (!band.managed).then_some("is-kind"))} data-id="ControlPlane" transform={at(x, y)}>
            {plate(w, h, "plate")}
            if band.managed { {plate(w, h, "hatch")} }
            <text x="16" y="20" class="lab t12">{if band.managed { ui.aws_vpc } else if band.imported { ui.imported_plane } else { ui.kind_plane }}
                {tail("lab2", if band.managed { ui.aws_account.to_owned() } else { band.cluster.clone() })}
            </text>
            <path class="wire" d={format!("{}{}{}", wire(band.api, band.etcd), wire(band.etcd, band.door.rect),
                wire(band.door.rect, band.scheduler))}/>
            {service_part(band.api, (x, y), "ControlPlane/api", (Icon::Api, ui.api_server, 23 + lift(PartRole::ApiServer)),
                off(PartRole::ApiServer),
                ticks((stages, refused), 36 + lift(PartRole::ApiServer)))}
            {service_part(band.etcd, (x, y), "ControlPlane/etcd", (Icon::Etcd, "etcd", 23 + lift(PartRole::Etcd)),
                off(PartRole::Etcd),
                stored(stages, 36 + lift(PartRole::Etcd)))}
            <g transform={at(-x, -y)}>{door(band, ui)}</g>
            {service_part(band.scheduler, (x, y), "ControlPlane/scheduler",
                (Icon::Funnel, ui.scheduler, if band.last_misfit.is_some() { 17 } else { 23 }), off(PartRole::Scheduler), html! {
                if let Some((fit, of)) = band.last_misfit {
                    {text(34, 32, "am h small", lab::words::fill(&lab::words::fill(ui.fit_of, of), fit))}
                }
            })}
            {service_part(band.controllers, (x, y), "ControlPlane/controller-manager",
                (Icon::Loop, ui.controller_manager, 23), off(PartRole::ControllerManager), Html::default())}
            {for band.parts.iter().filter(|part| !part.letter.is_empty()).map(|part| member(part, x, y, ui))}
            {quorum(band, x, y)}
        </g>
    }
}

/// What does one thing for the whole cluster: its glyph and its name on the line at `base`, crossed out where nobody does it.
fn service_part(
    r: Rect,
    (dx, dy): (i32, i32),
    id: &'static str,
    (glyph, name, base): (Icon, &'static str, i32),
    off: bool,
    inner: Html,
) -> Html {
    html! {
        <g class={classes!("k-part", off.then_some("is-off"))} data-id={id} transform={at(r.x - dx, r.y - dy)}>
            {plate(r.w, r.h, "card is-small")}{mark(glyph, 10, base - 12, 16)}{text(34, base, "pt", name)}{inner}
            if off { {badge("fail", r.w - 2, 2, "1")} }
        </g>
    }
}

/// One among several of a role: the letter of its zone.
fn member(part: &PartMark, dx: i32, dy: i32, ui: &Ui) -> Html {
    let r = part.rect;
    let said = if part.running { ui.running } else { ui.stopped };
    html! {
        <g key={part.id.clone()} class={classes!("k-member", (!part.running).then_some("is-off"))} data-id={part.id.clone()}
            transform={at(r.x - dx, r.y - dy)}>
            <title>{format!("{} · {said}", part.name)}</title>
            {plate(r.w, r.h, "mb")}
            {text(r.w / 2, r.h / 2 + 4, "mid h mono", part.letter.clone())}
            if !part.running { <path class="strike" d={format!("M5 5 {} {}", r.w - 5, r.h - 5)}/> }
        </g>
    }
}

/// How many members of etcd run, once not all do.
fn quorum(band: &ControlPlaneBand, dx: i32, dy: i32) -> Html {
    let (running, all) = band.running(PartRole::Etcd);
    if running == all {
        return Html::default();
    }
    let class = if band.works(PartRole::Etcd) { "end mono small am h" } else { "end mono small out h" };
    let y = if band.rect.w > 0 { 37 } else { 18 };
    text(band.etcd.x + band.etcd.w - 10 - dx, band.etcd.y + y - dy, class, format!("{running}/{all}"))
}

fn door(band: &ControlPlaneBand, ui: &Ui) -> Html {
    let door = &band.door;
    let hot = door.pending + door.gated > 0;
    // Where it is a frame around the scheduler too, it is lower, and ends before that.
    let narrow = band.rect.w == 0;
    let (name_at, count_at, age_at) = if narrow { (17, 32, 45) } else { (25, 45, 60) };
    let end = if narrow { band.scheduler.x - door.rect.x - 12 } else { door.rect.w - 34 };
    let mut counts = Vec::new();
    if door.pending > 0 {
        counts.push(format!("Pending {}", door.pending));
    }
    if door.gated > 0 {
        counts.push(format!("Gated {}", door.gated));
    }
    html! {
        <g class={classes!("k-door", (door.pending > 0).then_some("is-hot"), (door.pending == 0 && door.gated > 0).then_some("is-gated"))}
            data-id="ControlPlane/door" transform={at(door.rect.x, door.rect.y)}>
            {plate(door.rect.w, door.rect.h, "frame")}
            {mark(Icon::Door, 12, name_at - 12, 16)}
            {text(34, name_at, "h t12", ui.door)}
            if hot {
                {text(12, count_at, if door.pending > 0 { "am h" } else { "gt h" }, counts.join(" · "))}
                if let Some(secs) = door.oldest_secs { {text(12, age_at, "dim", lab::words::seconds(ui, secs))} }
            }
            if door.more > 0 { {text(end, door.rect.h / 2 + 5, "h t13 end", format!("+{}", door.more))} }
        </g>
    }
}
