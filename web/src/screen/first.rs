//! The first ten seconds: one pod, one key, ten beats. Drawn from the same world as lesson 00, with less around it.

use lab::{
    view::{
        beats::{Beat, BeatKind},
        reason::Reason,
        scene::{EniRow, NodeBox, NodeSize, Rect, Scene, SlotState},
    },
    words::fill,
};
use yew::{Callback, Html, Properties, classes, function_component, html, use_state};

use crate::{
    app::{Action, App, Width, on},
    pane::top,
    route::Route,
    scene::shapes::{at, badge, cap, plate, slot, tail, text},
    widget::{Icon, icon, mark, rich},
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

/// Where everything stands. `index.html` draws the wide one before the page has started.
struct Plan {
    size: (i32, i32),
    band: Rect,
    api: Rect,
    etcd: Rect,
    door: Rect,
    scheduler: Rect,
    vpc: Rect,
    subnet: Rect,
    card: Rect,
    /// Left edge of the trays on the card.
    tray: i32,
    /// Whether door and scheduler have room for their icons.
    icons: bool,
}

const fn rect(x: i32, y: i32, w: i32, h: i32) -> Rect {
    Rect { x, y, w, h }
}

const WIDE: Plan = Plan {
    size: (872, 492),
    band: rect(16, 8, 840, 104),
    api: rect(40, 44, 184, 52),
    etcd: rect(248, 44, 120, 52),
    door: rect(392, 26, 192, 72),
    scheduler: rect(608, 44, 224, 52),
    vpc: rect(16, 136, 840, 344),
    subnet: rect(198, 168, 476, 300),
    card: rect(242, 200, 388, 236),
    tray: 74,
    icons: true,
};
const NARROW: Plan = Plan {
    size: (366, 484),
    band: rect(4, 2, 358, 162),
    api: rect(16, 32, 196, 52),
    etcd: rect(228, 32, 122, 52),
    door: rect(16, 90, 168, 66),
    scheduler: rect(196, 97, 154, 52),
    vpc: rect(4, 180, 358, 300),
    subnet: rect(14, 208, 338, 264),
    card: rect(32, 232, 312, 232),
    tray: 60,
    icons: false,
};

impl Plan {
    fn of(app: &App) -> &'static Self {
        if app.width == Width::Phone { &NARROW } else { &WIDE }
    }

    /// Where the pod waits at the door.
    fn mat(&self) -> (i32, i32) {
        (self.door.x + self.door.w - 76, self.door.y + (self.door.h - 44) / 2)
    }

    fn row(&self, index: usize) -> i32 {
        52 + 60 * i32::try_from(index).unwrap_or(0)
    }

    fn column(&self, index: usize) -> i32 {
        self.tray + 4 + 60 * i32::try_from(index).unwrap_or(0)
    }
}

/// The first screen.
pub fn first(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let lang = app.settings.lang;
    let reached = reached(app);
    let done = reached == BEATS.len() && !app.desk.telling();
    let begun = reached > 0 || app.desk.telling();
    let plan = Plan::of(app);
    let scene = app.desk.scene(lab::view::scene::Form::Desk, None);
    let run = {
        let send = send.clone();
        Callback::from(move |_| {
            send.emit(Action::Speed(0.32));
            send.emit(Action::Run(COMMAND.to_owned()));
        })
    };
    let steps: Vec<Step> = BEATS
        .iter()
        .enumerate()
        .map(|(index, kind)| Step {
            name: lang.beat(*kind),
            lit: index < reached,
            reason: told(app, *kind).map(|beat| lang.reason(&beat.reason)).unwrap_or_default(),
        })
        .collect();
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
                        <h1>{ui.first_done_title}</h1>{address(app)}
                    } else {
                        <h1>{ui.first_title}</h1><p>{ui.first_text}</p>
                    }
                </div>
                <svg class="scene first-scene" viewBox={format!("0 0 {} {}", plan.size.0, plan.size.1)} role="img" aria-label={ui.scene}>
                    {picture(app, plan, &scene, reached, begun)}
                </svg>
                <Beats {steps} name={ui.events}/>
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

/// The beat of this kind, once it has been told.
fn told(app: &App, kind: BeatKind) -> Option<&Beat> {
    app.desk.told_so_far().find(|beat| beat.kind == kind)
}

/// The address, and which card it was waiting on.
fn address(app: &App) -> Html {
    match told(app, BeatKind::Address).map(|beat| &beat.reason) {
        Some(Reason::Address(ip, card)) => html! {
            <p><b class="mono">{ip.clone()}</b>
                if let Some((_, device)) = card { {" · "}{fill(app.ui().first_done_text, device)} }</p>
        },
        _ => Html::default(),
    }
}

/// One of the ten beats, as it is listed.
#[derive(Clone, PartialEq)]
struct Step {
    name: &'static str,
    lit: bool,
    reason: String,
}

#[derive(Clone, PartialEq, Properties)]
struct BeatsProps {
    steps: Vec<Step>,
    name: &'static str,
}

/// The ten beats below the picture; each that has happened opens its reason.
#[function_component(Beats)]
fn beats(props: &BeatsProps) -> Html {
    let picked = use_state(|| None::<usize>);
    let shown = picked.and_then(|index| props.steps.get(index)).filter(|step| step.lit);
    html! {
        <>
            <ol class="beats" aria-label={props.name}>
                {for props.steps.iter().enumerate().map(|(index, step)| {
                    let here = *picked == Some(index) && step.lit;
                    let onclick = {
                        let picked = picked.clone();
                        Callback::from(move |_| picked.set((*picked != Some(index)).then_some(index)))
                    };
                    html! {
                        <li class={classes!(step.lit.then_some("is-lit"), here.then_some("is-picked"))} data-beat={index.to_string()}>
                            <button {onclick} disabled={!step.lit} aria-expanded={here.to_string()}>{step.name}</button></li>
                    }
                })}
            </ol>
            <p class="beat-why" role="status">if let Some(step) = shown { {rich::sentence(&step.reason)} }</p>
        </>
    }
}

fn picture(app: &App, plan: &Plan, scene: &Scene, reached: usize, begun: bool) -> Html {
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
    let (card, seat) = (plan.card, seat(app, plan, node));
    let mat = plan.mat();
    let hero = match reached {
        0 if !begun => Some((mat.0, mat.1, "1")),
        0..6 => None,
        6 => Some((mat.0, mat.1, "1")),
        7 => Some((plan.scheduler.x - 26, plan.scheduler.y + 10, ".7")),
        _ => Some((seat.0, seat.1, "1")),
    };
    let state = match reached {
        0..8 => "s-pend",
        8..10 => "s-create",
        _ => "s-run",
    };
    let octet =
        told(app, BeatKind::Address).and_then(|b| b.detail.rsplit('.').next().map(|o| format!(".{o}")));
    let (vpc, sub) = (plan.vpc, plan.subnet);
    let seen = seen(app, plan, scene, reached);
    html! {
        <>
            {band(app, plan, &seen, reached)}
            <g class="k-vpc" transform={at(vpc.x, vpc.y)}>
                {plate(vpc.w, vpc.h, "plate")}
                <text x="16" y="20" class="lab t12">{ui.my_vpc}{tail("lab2 mono", scene.networks.first().map(|n| n.cidr.clone()).unwrap_or_default())}</text>
            </g>
            <g class="k-subnet is-priv" transform={at(sub.x, sub.y)}>
                {plate(sub.w, sub.h, "plate")}{mark(Icon::Lock, 8, 5, 12)}
                <text x="24" y="15" class="lab">{ui.private_subnet}{tail("lab2 mono", subnet.map(|s| s.cidr.clone()).unwrap_or_default())}</text>
                if let Some(s) = subnet {
                    <rect class="meter-t" x={(sub.w - 44).to_string()} y="8" width="36" height="6" rx="3"/>
                    <rect class="meter-f" x={(sub.w - 44).to_string()} y="8" width={((s.total - s.free) * 36 / s.total.max(1)).max(3).to_string()} height="6" rx="3"/>
                    {text(sub.w - 50, 15, "lab2 mono end", format!("{}/{}", s.free, s.total))}
                }
            </g>
            <g class={classes!("k-node", "s-ready")} transform={at(card.x, card.y)}>
                {plate(card.w, card.h, "card")}
                {mark(Icon::Node, 12, 13, 16)}
                {text(36, 22, "h t13", node.map(|n| lab::view::pod::short_name(&n.name, 24)).unwrap_or_default())}
                {text(card.w - 72, 22, "dim end", node.map(|n| n.about.rsplit(" · ").next().unwrap_or_default().to_owned()).unwrap_or_default())}
                if node.is_some() { {cap(card.w - 62, 10, 48, "run", "Ready")} }
                <path class="rule" d={format!("M12 40H{}", card.w - 12)}/>
                {for node.into_iter().flat_map(|n| &n.enis).take(3).enumerate().map(|(index, row)| eni(plan, row, index))}
            </g>
            if reached >= 8 {
                <path class={classes!("thread", "run1", (reached >= 9).then_some("is-past"))} pathLength="100" d={thread(plan, &seen, seat)}/>
            }
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

/// From the chosen node's box at the scheduler to the seat, round the corners.
fn thread(plan: &Plan, seen: &[Seen], seat: (i32, i32)) -> String {
    let from = seen
        .iter()
        .find(|node| node.passed == Some(true))
        .map_or(plan.scheduler.w / 2, |node| node.x + node.w / 2);
    let (x, end) = (plan.scheduler.x + from, seat.0 + 22);
    let (top, level) = (plan.scheduler.y + plan.scheduler.h, (plan.band.y + plan.band.h + plan.vpc.y) / 2);
    let turn = if end < x { -8 } else { 8 };
    format!(
        "M{x} {top}V{}Q{x} {level} {} {level}H{}Q{end} {level} {end} {}V{}",
        level - 8,
        x + turn,
        end - turn,
        level + 8,
        seat.1
    )
}

/// The seat of the first pod: the slot of its address, or the first free one before it has one.
fn seat(app: &App, plan: &Plan, node: Option<&NodeBox>) -> (i32, i32) {
    let address = told(app, BeatKind::Address).map(|b| b.detail.clone());
    let mine = |slot: &lab::view::scene::SlotMark| match &address {
        Some(address) => slot.address == *address,
        None => slot.state == SlotState::Warm,
    };
    let rows = node.into_iter().flat_map(|node| &node.enis).take(3).enumerate();
    let found = rows.into_iter().find_map(|(row, eni)| Some((row, eni.slots.iter().position(mine)?)));
    let (row, column) = found.unwrap_or((0, 1));
    (plan.card.x + plan.column(column) + 4, plan.card.y + plan.row(row) + 4)
}

fn band(app: &App, plan: &Plan, seen: &[Seen], reached: usize) -> Html {
    let ui = app.ui();
    let part = |r: Rect, glyph: Icon, name: &'static str, inner: Html| {
        let bare = glyph == Icon::Funnel && !plan.icons;
        html! {
            <g class="k-part" transform={at(r.x, r.y)}>{plate(r.w, r.h, "card is-small")}
                if !bare { {mark(glyph, 12, 18, 16)} }{text(if bare { 12 } else { 36 }, 31, "pt", name)}{inner}</g>
        }
    };
    let (band, door, mat) = (plan.band, plan.door, plan.mat());
    let ticks = plan.api.w - 78;
    let wire = if door.y > plan.api.y + 30 {
        format!(
            "M{} {}H{}M{} {}H{}",
            plan.api.x + plan.api.w,
            plan.api.y + 26,
            plan.etcd.x,
            door.x + door.w,
            door.y + 34,
            plan.scheduler.x
        )
    } else {
        let y = plan.api.y + 26;
        format!(
            "M{} {y}H{}M{} {y}H{}M{} {y}H{}",
            plan.api.x + plan.api.w,
            plan.etcd.x,
            plan.etcd.x + plan.etcd.w,
            door.x,
            door.x + door.w,
            plan.scheduler.x
        )
    };
    html! {
        <>
            <g class="k-aws" transform={at(band.x, band.y)}>
                {plate(band.w, band.h, "plate")}{plate(band.w, band.h, "hatch")}{text(16, 20, "lab t12", ui.aws_vpc)}
            </g>
            <g class="k-aws"><path class="wire" d={wire}/></g>
            {part(plan.api, Icon::Api, ui.api_server, html! {
                <>{for (0..3).map(|n: i32| html! {
                    <g transform={at(ticks + n * 26, 26)}><circle r="9" class="tkc"/>
                        if reached > usize::try_from(n + 1).unwrap_or(0) { <path class="tkp" d="m-4 0 3 3 5-6"/> }</g>
                })}</>
            })}
            {part(plan.etcd, Icon::Etcd, "etcd", html! {
                <circle class={classes!("tick", (reached >= 5).then_some("is-on"))} cx={(plan.etcd.w - 20).to_string()} cy="26" r="5"/>
            })}
            <g class="k-door" transform={at(door.x, door.y)}>{plate(door.w, door.h, "frame")}
                if plan.icons { {mark(Icon::Door, 16, door.h / 2 - 8, 16)} }
                {text(if plan.icons { 40 } else { 12 }, door.h / 2 + 5, "h t12", ui.door)}
                <rect class="mat" x={(mat.0 - 4 - door.x).to_string()} y={(mat.1 - 4 - door.y).to_string()} width="52" height="52" rx="8"/></g>
            {part(plan.scheduler, Icon::Funnel, ui.scheduler, verdicts(seen, reached))}
        </>
    }
}

/// A node as the scheduler sees it: its name, whether it passed, and its box.
struct Seen {
    name: String,
    passed: Option<bool>,
    x: i32,
    w: i32,
}

/// The nodes as the scheduler sees them: at first by name, then with what the recorded decision says of each.
fn seen(app: &App, plan: &Plan, scene: &Scene, reached: usize) -> Vec<Seen> {
    let decision = app.desk.decided(None).filter(|_| reached >= 7);
    let mut all: Vec<(String, Option<bool>)> = match &decision {
        Some(decision) => {
            decision.nodes.iter().map(|n| (n.node.clone(), Some(n.rejected.is_none()))).collect()
        }
        None => scene.nodes.iter().map(|n| (n.name.clone(), None)).collect(),
    };
    all.sort_by_key(|it| letter(&it.0));
    all.truncate(3);
    let room = if plan.icons { 104 } else { 74 };
    let count = i32::try_from(all.len().max(1)).unwrap_or(1);
    let w = (room - 8 * (count - 1)) / count;
    let first = plan.scheduler.w - 10 - room;
    all.into_iter()
        .zip(0..)
        .map(|((name, passed), n)| Seen { name, passed, x: first + n * (w + 8), w })
        .collect()
}

/// The letter that tells nodes of one kind apart.
fn letter(name: &str) -> String {
    name.rsplit('-').next().unwrap_or(name).chars().take(1).collect()
}

fn verdicts(seen: &[Seen], reached: usize) -> Html {
    html! {
        <g>{for seen.iter().map(|node| {
            let (first, sign) = if node.w < 40 { (node.x + 5, node.x + node.w - 17) } else { (node.x + 7, node.x + node.w - 20) };
            html! {
                <>
                    <rect class="fn" x={node.x.to_string()} y="14" width={node.w.to_string()} height="24" rx="5"><title>{node.name.clone()}</title></rect>
                    {text(first, 30, if node.passed == Some(false) { "mono dim" } else { "mono" }, letter(&node.name))}
                    if node.passed == Some(true) && reached >= 8 { <path class="tkp" d={format!("m{sign} 26 4 4 6-8")}/> }
                    if node.passed == Some(false) { <path class="tkx" d={format!("m{} 22 8 8m0-8-8 8", sign + 2)}/> }
                </>
            }
        })}</g>
    }
}

fn eni(plan: &Plan, row: &EniRow, index: usize) -> Html {
    let slots = (0..4).map(|n| {
        let rect = Rect { x: plan.column(n), y: 0, w: 52, h: 52 };
        let mut drawn = row.slots.get(n).cloned().unwrap_or_else(|| lab::view::scene::SlotMark {
            id: format!("{}-{n}", row.id),
            rect,
            state: SlotState::Empty,
            octet: String::new(),
            address: String::new(),
            imagined: false,
        });
        drawn.rect = rect;
        slot(&drawn)
    });
    html! {
        <g class={classes!("k-eni", if row.eni.is_empty() { "s-none" } else { "s-attached" })} transform={at(0, plan.row(index))}>
            <rect class="plug" x="-7" y="14" width="14" height="24"/><path class="prong" d="M-11 21H-7M-11 31H-7"/>
            {text(16, 30, "h mono", row.device.clone())}
            <rect class="tray" x={plan.tray.to_string()} y="-2" width="240" height="56"/>{for slots}
        </g>
    }
}
