//! The strokes that all boxes of the scene share: rectangles, labels, badges, meters, pods and slots.

use lab::view::{
    pod::PodState,
    scene::{PodMark, Rect, Seat, SlotMark, SlotState, cell},
};
use yew::{AttrValue, Html, Properties, classes, function_component, html};

/// Where a group stands, as an attribute: the page's policy allows no style attributes.
pub fn at(x: i32, y: i32) -> AttrValue {
    format!("translate({x},{y})").into()
}

/// A rectangle.
pub fn rect(r: Rect, class: &'static str) -> Html {
    html! {
        <rect class={class} x={r.x.to_string()} y={r.y.to_string()} width={r.w.max(0).to_string()}
            height={r.h.max(0).to_string()}/>
    }
}

/// A rectangle that begins where its group begins.
pub fn plate(w: i32, h: i32, class: &'static str) -> Html {
    html! { <rect class={class} width={w.max(0).to_string()} height={h.max(0).to_string()}/> }
}

/// A label.
pub fn text(x: i32, y: i32, class: &'static str, words: impl Into<AttrValue>) -> Html {
    html! { <text x={x.to_string()} y={y.to_string()} class={class}>{words.into()}</text> }
}

/// A state's square of a pod outside the picture: in the head of a pane.
pub fn emblem(tag: &str, state: PodState) -> Html {
    let pod = PodMark {
        id: String::new(),
        name: String::new(),
        tag: tag.to_owned(),
        rect: Rect { x: 0, y: 0, w: 40, h: 40 },
        state,
        octet: String::new(),
        seat: Seat::Door,
    };
    html! { <svg class="scene emblem" viewBox="-2 -8 50 50" width="50" height="50" aria-hidden="true"><Pod {pod}/></svg> }
}

/// A second label on the same line, placed by the text engine.
pub fn tail(class: &'static str, words: impl Into<AttrValue>) -> Html {
    html! { <tspan dx="8" class={class}>{words.into()}</tspan> }
}

/// A state's badge: a different outline per state, so that the shape alone is enough.
pub fn badge(state: &'static str, x: i32, y: i32, scale: &'static str) -> Html {
    let shape = match state {
        "pend" => html! { <><circle class="bg" r="6.5"/><path class="fg" d="M0-3V.3L2.3 1.6"/></> },
        "gate" => html! {
            <><rect class="bg" x="-6" y="-6" width="12" height="12" rx="2.5"/>
            <path class="fg" d="M-1.7-2.6V2.6M1.7-2.6V2.6"/></>
        },
        "create" => html! {
            <><circle class="bg" r="6" stroke-width="1.5"/><path class="pie" d="M0 0V-4A4 4 0 0 1 4 0Z"/></>
        },
        "notready" => html! {
            <><path class="bg" d="M0-7.5 7.5 5.5H-7.5Z" stroke-linejoin="round"/>
            <path class="fg" d="M0-2.5V1M0 3.2V3.3"/></>
        },
        "fail" => html! {
            <><path class="bg" d="M-2.8-6.8H2.8L6.8-2.8V2.8L2.8 6.8H-2.8L-6.8 2.8V-2.8Z"/>
            <path class="fg" d="m-2.3-2.3 4.6 4.6M2.3-2.3l-4.6 4.6"/></>
        },
        "term" => html! {
            <><circle class="bg" r="6.5"/><path class="fg" d="m-2.3-2.3 4.6 4.6M2.3-.8V2.3H-.8"/></>
        },
        _ => html! { <path class="fg" d="m-3 .2 2.2 2.3L3-2.6"/> },
    };
    html! {
        <g class={classes!("bd", format!("s-{state}"))} transform={format!("translate({x} {y}) scale({scale})")}>
            {shape}
        </g>
    }
}

/// A meter of 48 or so pixels: how much of a whole, in thousandths.
pub fn meter(x: i32, y: i32, w: i32, thousandths: u32) -> Html {
    let filled = (w * i32::try_from(thousandths.min(1000)).unwrap_or(0) / 1000).max(2);
    html! {
        <>
            <rect class="mt" x={x.to_string()} y={y.to_string()} width={w.to_string()} height="4" rx="2"/>
            <rect class={if thousandths >= 1000 { "mf is-full" } else { "mf" }} x={x.to_string()}
                y={y.to_string()} width={filled.to_string()} height="4" rx="2"/>
        </>
    }
}

/// A small coloured label.
pub fn cap(x: i32, y: i32, w: i32, state: &'static str, words: impl Into<AttrValue>) -> Html {
    html! {
        <>
            <rect class={classes!("cap", format!("s-{state}"))} x={x.to_string()} y={y.to_string()}
                width={w.to_string()} height="16"/>
            <text class={classes!("ct", format!("s-{state}"))} x={(x + w / 2).to_string()}
                y={(y + 12).to_string()}>{words.into()}</text>
        </>
    }
}

/// The cells of a /28 whose bits are set.
fn cells(bits: u16, large: bool) -> String {
    let set = (0..16).filter(|place| bits & (1 << place) != 0).map(|place| cell(place, large));
    set.map(|Rect { x, y, w, h }| format!("M{x} {y}h{w}v{h}h-{w}z")).collect()
}

/// One pod.
#[derive(Clone, PartialEq, Properties)]
pub struct PodProps {
    /// What and where.
    pub pod: PodMark,
    /// Whether it is the selection.
    #[prop_or_default]
    pub selected: bool,
    /// Whether something just happened to it.
    #[prop_or_default]
    pub changed: bool,
    /// Whether it steps back, because a path is looked at that does not touch it.
    #[prop_or_default]
    pub dimmed: bool,
}

/// A pod's square, its letters, and a badge unless all is well.
#[function_component(Pod)]
pub fn pod(props: &PodProps) -> Html {
    let PodProps { pod, selected, changed, dimmed } = props;
    let (w, large) = (pod.rect.w, pod.rect.w >= 30);
    let tiny = pod.rect.w < 16;
    let state = pod.state.class();
    let square = |inset: i32, class: &'static str| {
        let (x, w) = (inset.to_string(), (w - 2 * inset).to_string());
        html! { <rect class={class} x={x.clone()} y={x} width={w.clone()} height={w}/> }
    };
    let tag_y = match (large, pod.octet.is_empty()) {
        (true, false) => w / 2,
        (true, true) => w / 2 + 4,
        (false, _) => w / 2 + 3,
    };
    html! {
        <g class={classes!("k-pod", format!("s-{state}"), selected.then_some("is-sel"), changed.then_some("is-changed"),
            dimmed.then_some("is-dim"), (pod.seat != Seat::Door).then_some("on-node"),
            matches!(pod.seat, Seat::Node | Seat::MicroVm).then_some("is-loose"), (!large).then_some("is-small"))}
            data-id={pod.id.clone()} transform={at(pod.rect.x, pod.rect.y)}>
            <title>{&pod.name}</title>
            if *selected { {square(-6, "halo")}{square(-4, "ring")} }
            if *changed && !*selected { {square(-3, "ring")} }
            {square(0, "b")}
            if pod.state == PodState::Gated { {square(3, "b2")} }
            if !tiny {
                <text class="tag" x={(w / 2).to_string()} y={tag_y.to_string()}>{&pod.tag}</text>
            }
            if large && !pod.octet.is_empty() {
                <text class="oct" x={(w / 2).to_string()} y={(w / 2 + 13).to_string()}>{&pod.octet}</text>
            }
            if pod.state != PodState::Running && !tiny {
                {badge(state, w - 1, 1, if large { "1" } else { ".72" })}
            }
        </g>
    }
}

/// One slot of an ENI; pods are drawn over it.
pub fn slot(slot: &SlotMark) -> Html {
    let Rect { x, y, w, .. } = slot.rect;
    let (large, m) = (w >= 40, w / 2);
    let class = match slot.state {
        SlotState::Primary => "prim",
        SlotState::Used => "used",
        SlotState::Warm => "warm",
        SlotState::Cooldown { .. } => "cool",
        SlotState::Empty => "empty",
        SlotState::Stale => "stale",
        SlotState::Prefix(_) => "prefix",
    };
    let inside = match slot.state {
        SlotState::Primary => html! {
            <>
                <text class="ct" x={m.to_string()} y={(if large { m } else { m + 4 }).to_string()}>{"P"}</text>
                if large { {text(m, m + 13, "oct mid", slot.octet.clone())} }
            </>
        },
        SlotState::Warm => html! {
            <>
                <circle cx={m.to_string()} cy={(if large { m - 5 } else { m }).to_string()}
                    r={if large { "5" } else { "3.5" }}/>
                if large { {text(m, m + 14, "oct mid", slot.octet.clone())} }
            </>
        },
        SlotState::Cooldown { left, of } if large => html! {
            <>
                <circle class="ring" cx={m.to_string()} cy={m.to_string()} r="13"/>
                <circle class="ringf" pathLength="100" cx={m.to_string()} cy={m.to_string()} r="13"
                    stroke-dasharray={format!("{} 100", left * 100 / of.max(1))}
                    transform={format!("rotate(-90 {m} {m})")}/>
                {text(m, m + 4, "mid mono", left.to_string())}
            </>
        },
        SlotState::Prefix(all) => html! {
            <>
                if large { {text(m, 10, "oct mid", slot.octet.clone())} }
                <path class="cell" d={cells(!(all.used | all.resting), large)}/>
                <path class="cell is-cool" d={cells(all.resting, large)}/>
                <path class="cell is-used" d={cells(all.used, large)}/>
            </>
        },
        SlotState::Stale if large => text(m, m + 4, "oct mid", slot.octet.clone()),
        SlotState::Used | SlotState::Empty | SlotState::Cooldown { .. } | SlotState::Stale => Html::default(),
    };
    html! {
        <g key={slot.id.clone()} class={classes!("k-slot", format!("s-{class}"), (!large).then_some("is-small"),
            slot.imagined.then_some("is-imagined"))}
            data-id={slot.id.clone()} transform={at(x, y)}>
            if !slot.address.is_empty() { <title>{&slot.address}</title> }
            <rect x=".5" y=".5" width={(w - 1).to_string()} height={(w - 1).to_string()}/>
            {inside}
        </g>
    }
}
