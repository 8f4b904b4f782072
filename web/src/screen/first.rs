//! The first ten seconds: one pod, one key, ten beats. Drawn from the same world as lesson 00, with less around it.

use lab::view::{
    beats::BeatKind,
    scene::{EniRow, NodeBox, NodeSize, Rect, Scene, SlotState},
};
use yew::{Callback, Html, classes, html};

use crate::{
    app::{Action, App, on},
    pane::top,
    route::Route,
    scene::shapes::{at, badge, cap, plate, slot, tail, text},
    widget::{Icon, icon, mark},
};

/// The ten beats, in order.
const BEATS: [BeatKind; 10] = [
    BeatKind::Request,
    BeatKind::Authentication,
    BeatKind::Authorization,
    BeatKind::Admission,
    BeatKind::Storage,
    BeatKind::Door,
    BeatKind::Schedule,
    BeatKind::Bind,
    BeatKind::Address,
    BeatKind::Running,
];
/// What the button runs.
const COMMAND: &str = "kubectl apply -f pod.yaml";

/// Size of the drawing, and where the node's card begins in it.
const W: i32 = 872;
const H: i32 = 492;
const CARD: (i32, i32) = (242, 200);

/// The first screen.
pub fn first(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let lang = app.settings.lang;
    let reached = reached(app);
    let done = reached == BEATS.len() && !app.desk.playing();
    let begun = reached > 0 || app.desk.playing();
    let address = app.desk.told.iter().find(|b| b.kind == BeatKind::Address).map(|b| b.detail.clone());
    let scene = app.desk.scene(lab::view::scene::Form::Desk, None);
    let run = {
        let send = send.clone();
        Callback::from(move |_| {
            send.emit(Action::Speed(0.32));
            send.emit(Action::Run(COMMAND.to_owned()));
        })
    };
    html! {
        <div class={classes!("first", done.then_some("done"))}>
            <header class="top">{top::brand(send)}<span class="grow"/>
                <a class="tool" href={Route::Lessons.hash()}>{ui.lessons}</a>
                <a class="tool" href={Route::Sandbox.hash()}>{ui.sandbox}</a>
                {top::switches(app, send)}
            </header>
            <main class="wrap">
                <div class="hi">
                    if done {
                        <h1>{ui.first_done_title}</h1>
                        <p><b class="mono">{address.clone().unwrap_or_default()}</b></p>
                    } else {
                        <h1>{ui.first_title}</h1><p>{ui.first_text}</p>
                    }
                </div>
                <svg class="scene first-scene" viewBox={format!("0 0 {W} {H}")} role="img" aria-label={ui.scene}>
                    {picture(app, &scene, reached, begun)}
                </svg>
                <ol class="beats" aria-label={ui.events}>
                    {for BEATS.iter().enumerate().map(|(index, kind)| html! {
                        <li class={classes!((index < reached).then_some("is-lit"))} data-beat={index.to_string()}>{lang.beat(*kind)}</li>
                    })}
                </ol>
                if done {
                    <div class="done-line" role="status"><span>{ui.first_done_line}</span>
                        <button class="btn" onclick={on(send, || Action::Go(Route::Lesson("scheduling-gates".to_owned())))}>{ui.start_lesson}</button>
                        <button class="btn ghost" onclick={on(send, || Action::Go(Route::World("tiny".to_owned())))}>{ui.sandbox}</button>
                    </div>
                } else {
                    <div class="go"><code><span class="p">{"$"}</span>{" "}{COMMAND}if !begun { <span class="caret"/> }</code>
                        <button class="btn" id="go" onclick={run} disabled={begun}>{icon(Icon::Play, "")}{ui.deploy}</button></div>
                }
            </main>
        </div>
    }
}

/// How many of the ten beats have been told.
fn reached(app: &App) -> usize {
    let told: Vec<BeatKind> = app.desk.told_so_far().map(|b| b.kind).collect();
    BEATS.iter().rposition(|kind| told.contains(kind)).map_or(0, |index| index + 1)
}

fn picture(app: &App, scene: &Scene, reached: usize, begun: bool) -> Html {
    let ui = app.ui();
    let node = scene.nodes.iter().find(|n| n.size == NodeSize::Large);
    let subnet = node.and_then(|n| {
        scene.subnets.iter().find(|s| {
            n.rect.x >= s.rect.x
                && n.rect.x < s.rect.x + s.rect.w
                && n.rect.y >= s.rect.y
                && n.rect.y < s.rect.y + s.rect.h
        })
    });
    let seat = node.and_then(|n| seat(app, scene, n)).unwrap_or((CARD.0 + 142, CARD.1 + 56));
    let hero = match reached {
        0 if !begun => Some((508, 40, "1")),
        0..6 => None,
        6 => Some((508, 40, "1")),
        7 => Some((687, 54, ".7")),
        _ => Some((seat.0, seat.1, "1")),
    };
    let state = match reached {
        0..8 => "s-pend",
        8..10 => "s-create",
        _ => "s-run",
    };
    let octet = app
        .desk
        .told_so_far()
        .find(|b| b.kind == BeatKind::Address)
        .and_then(|b| b.detail.rsplit('.').next().map(|o| format!(".{o}")));
    let route = format!(
        "M720 96V118Q720 126 712 126H{}Q{} 126 {} 134V{}",
        seat.0 + 30,
        seat.0 + 22,
        seat.0 + 22,
        seat.1
    );
    html! {
        <>
            {band(app, reached)}
            <g class="k-vpc" transform={at(16, 136)}>
                {plate(W - 32, H - 148, "plate")}
                <text x="16" y="20" class="lab t12">{ui.my_vpc}{tail("lab2 mono", scene.networks.first().map(|n| n.cidr.clone()).unwrap_or_default())}</text>
                <g class="k-subnet is-priv" transform={at(182, 32)}>
                    {plate(476, H - 192, "plate")}{mark(Icon::Lock, 8, 5, 12)}
                    <text x="24" y="15" class="lab">{ui.private_subnet}{tail("lab2 mono", subnet.map(|s| s.cidr.clone()).unwrap_or_default())}</text>
                    if let Some(s) = subnet {
                        <rect class="meter-t" x="432" y="8" width="36" height="6" rx="3"/>
                        <rect class="meter-f" x="432" y="8" width={((s.total - s.free) * 36 / s.total.max(1)).max(3).to_string()} height="6" rx="3"/>
                        {text(426, 15, "lab2 mono end", format!("{}/{}", s.free, s.total))}
                    }
                </g>
            </g>
            <g class={classes!("k-node", "s-ready")} transform={at(CARD.0, CARD.1)}>
                {plate(388, 236, "card")}
                {mark(Icon::Node, 12, 13, 16)}
                {text(36, 22, "h t13", node.map(|n| lab::view::pod::short_name(&n.name, 24)).unwrap_or_default())}
                {text(316, 22, "dim end", node.map(|n| n.about.rsplit(" · ").next().unwrap_or_default().to_owned()).unwrap_or_default())}
                if node.is_some() { {cap(326, 10, 48, "run", "Ready")} }
                <path class="rule" d="M12 40H376"/>
                {for node.into_iter().flat_map(|n| &n.enis).take(3).enumerate().map(|(index, row)| eni(row, index))}
            </g>
            if reached >= 8 { <path class={classes!("thread", "run1", (reached >= 9).then_some("is-past"))} pathLength="100" d={route}/> }
            if begun && reached == 0 {
                <g class="cmdchip"><rect x="-54" y="-13" width="108" height="26" rx="6"/><text class="mono mid" y="4">{"apply pod.yaml"}</text></g>
            }
            if let Some((x, y, scale)) = hero {
                <g class="hero" transform={format!("translate({x},{y}) scale({scale})")}>
                    if !begun { <g class="pulse"><rect x="-6" y="-6" width="56" height="56" rx="13"/></g> }
                    <g class={classes!("k-pod", state)} data-id="Pod/default/hello">
                        <rect class="b" width="44" height="44"/>
                        <text class="tag t13" x="22" y={if octet.is_some() { "22" } else { "27" }}>{ui.you}</text>
                        if let Some(octet) = octet { <text class="oct" x="22" y="35">{octet}</text> }
                        if state == "s-create" { {badge("create", 43, 1, "1")} }
                    </g>
                </g>
            }
        </>
    }
}

/// The seat of the first pod: the slot of its address, or the first free one before it has one.
fn seat(app: &App, scene: &Scene, node: &NodeBox) -> Option<(i32, i32)> {
    let address = app.desk.told_so_far().find(|b| b.kind == BeatKind::Address).map(|b| b.detail.clone());
    for (row, eni) in node.enis.iter().take(3).enumerate() {
        for (column, slot) in eni.slots.iter().enumerate() {
            let here = match &address {
                Some(address) => slot.address == *address,
                None => slot.state == SlotState::Warm,
            };
            if here {
                let (row, column) = (i32::try_from(row).ok()?, i32::try_from(column).ok()?);
                return Some((CARD.0 + 82 + column * 60, CARD.1 + 56 + row * 60));
            }
        }
    }
    let _ = scene;
    None
}

fn band(app: &App, reached: usize) -> Html {
    let ui = app.ui();
    let part = |x: i32, w: i32, glyph: Icon, name: &'static str, inner: Html| {
        html! { <g class="k-part" transform={at(x, 36)}>{plate(w, 52, "card is-small")}{mark(glyph, 12, 18, 16)}{text(36, 31, "pt", name)}{inner}</g> }
    };
    html! {
        <g class="k-aws" transform={at(16, 8)}>
            {plate(W - 32, 104, "plate")}{plate(W - 32, 104, "hatch")}{text(16, 20, "lab t12", ui.aws_vpc)}
            <path class="wire" d="M208 62H232M352 62H376M568 62H592"/>
            {part(24, 184, Icon::Api, ui.api_server, html! {
                <>{for (0..3).map(|n: i32| html! {
                    <g transform={at(106 + n * 26, 26)}><circle r="9" class="tkc"/>
                        if reached > usize::try_from(n + 1).unwrap_or(0) { <path class="tkp" d="m-4 0 3 3 5-6"/> }</g>
                })}</>
            })}
            {part(232, 120, Icon::Etcd, "etcd", html! { <circle class={classes!("tick", (reached >= 5).then_some("is-on"))} cx="100" cy="26" r="5"/> })}
            <g class="k-door" transform={at(376, 18)}>{plate(192, 72, "frame")}{mark(Icon::Door, 16, 28, 16)}{text(40, 41, "h t12", ui.door)}
                <rect class="mat" x="112" y="10" width="52" height="52" rx="8"/></g>
            {part(592, 224, Icon::Funnel, ui.scheduler, html! {
                <g>
                    <rect class="fn" x="112" y="14" width="44" height="24" rx="5"/>{text(120, 30, "mono", "a")}
                    if reached >= 8 { <path class="tkp" d="m134 26 4 4 6-8"/> }
                    <rect class="fn" x="164" y="14" width="44" height="24" rx="5"/>{text(172, 30, "mono dim", "b")}
                    if reached >= 7 { <path class="tkx" d="m187 22 8 8m0-8-8 8"/> }
                </g>
            })}
        </g>
    }
}

fn eni(row: &EniRow, index: usize) -> Html {
    let y = 52 + 60 * i32::try_from(index).unwrap_or(0);
    let count = row.slots.len().max(4);
    let slots = (0..count.min(4)).map(|n| {
        let rect = Rect { x: 78 + 60 * i32::try_from(n).unwrap_or(0), y: 0, w: 52, h: 52 };
        let mut drawn = row.slots.get(n).cloned().unwrap_or_else(|| lab::view::scene::SlotMark {
            id: format!("{}-{n}", row.id),
            rect,
            state: SlotState::Empty,
            octet: String::new(),
            address: String::new(),
        });
        drawn.rect = rect;
        slot(&drawn)
    });
    html! {
        <g class={classes!("k-eni", if row.eni.is_empty() { "s-none" } else { "s-attached" })} transform={at(0, y)}>
            <rect class="plug" x="-7" y="14" width="14" height="24"/><path class="prong" d="M-11 21H-7M-11 31H-7"/>
            {text(18, 30, "h mono", row.device.clone())}
            <rect class="tray" x="74" y="-2" width="240" height="56"/>{for slots}
        </g>
    }
}
