//! A node's card: what it is, how full, its cards of network and their slots, and the pods that need none.

use lab::{
    view::{
        pod::{PodState, short_name},
        scene::{EniRow, EniState, NodeBox, NodeSize, NodeState},
    },
    words::{Lang, Ui},
};
use yew::{Html, Properties, classes, function_component, html};

use super::shapes::{at, badge, cap, meter, plate, slot, text};
use crate::widget::{Icon, mark};

/// What a card is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The node.
    pub node: NodeBox,
    /// In which language.
    pub lang: Lang,
    /// Whether it is the selection.
    #[prop_or_default]
    pub selected: bool,
    /// Ids on a path that is looked at.
    #[prop_or_default]
    pub lit: std::rc::Rc<Vec<String>>,
    /// Whether the scheduler just turned it down.
    #[prop_or_default]
    pub dimmed: bool,
}

/// A node's card.
#[function_component(Node)]
pub fn node(props: &Props) -> Html {
    let Props { node, lang, lit, selected, dimmed } = props;
    let ui = lang.ui();
    let r = node.rect;
    let full = node.full();
    let body = match node.size {
        NodeSize::Large if r.w < 400 => narrow(node, ui, lit),
        NodeSize::Large => large(node, ui, lit),
        NodeSize::Medium => medium(node, ui, lit),
        NodeSize::Folded => folded(node, ui),
        NodeSize::Tile => tile(node),
    };
    let state = match node.state {
        NodeState::Ready => "s-ready",
        NodeState::Cordoned => "s-cordoned",
        NodeState::NotReady => "s-notready",
    };
    html! {
        <g class={classes!("k-node", (node.size == NodeSize::Large).then_some("is-large"), node.fargate.then_some("is-vm"), state, full.then_some("is-full"), dimmed.then_some("is-dim"), node.imagined.then_some("is-imagined"),
            selected.then_some("is-sel"))} data-id={node.id.clone()} transform={at(r.x, r.y)}>
            <title>{&node.name}</title>
            if *selected {
                <rect class="ring" x="-4" y="-4" width={(r.w + 8).to_string()} height={(r.h + 8).to_string()}/>
            }
            {plate(r.w, r.h, "card")}
            {body}
            {stopped(node)}
            if node.imagined && node.size != NodeSize::Tile { {what_if(node, *lang)} }
            {far(node, ui)}
        </g>
    }
}

/// A node's name as long as there is room: the rest of a host's name is the same for all.
fn named(node: &NodeBox, most: usize) -> String {
    short_name(node.name.split('.').next().unwrap_or_default(), most)
}

/// The end of an ENI's id, which tells it from others.
fn eni_tail(id: &str, wide: bool) -> String {
    let tail: String = id.chars().skip(id.chars().count().saturating_sub(4)).collect();
    match wide {
        _ if tail.is_empty() => tail,
        true => format!("eni-…{tail}"),
        false => format!("…{tail}"),
    }
}

/// A label on the lower edge of a card that is not how it is, but how it would be; a tile has no room for it.
fn what_if(node: &NodeBox, lang: Lang) -> Html {
    let words = lang.what_if().what_if;
    html! { <g class="k-if" transform={at(node.rect.w - 84, node.rect.h - 8)}>{plate(72, 16, "ib")}{text(36, 12, "mid", words)}</g> }
}

/// What does not run beside the pods: labels on the card's lower edge, where nothing else is written.
fn stopped(node: &NodeBox) -> Html {
    let mut right = node.rect.w - 8;
    html! {
        <g class="k-off">
            {for node.stopped.iter().map(|part| {
                let w = 24 + 7 * i32::try_from(part.len()).unwrap_or(10);
                right -= w;
                let label = html! {
                    <g transform={at(right, node.rect.h - 8)}>
                        {plate(w - 6, 16, "ob")}
                        <path class="ox" d="M6 5l6 6M12 5l-6 6"/>
                        {text(17, 12, "mono ot", *part)}
                    </g>
                };
                label
            })}
        </g>
    }
}

/// What is left of a card from afar: its name, its number and its worst pod. The style sheet shows it at low zoom.
fn far(node: &NodeBox, ui: &Ui) -> Html {
    let r = node.rect;
    let worst = node.worst.filter(|s| *s != PodState::Running && *s != PodState::Completed);
    html! {
        <g class="far" aria-hidden="true">
            <rect class={classes!("face", worst.map(|w| format!("s-{}", w.class())))} width={r.w.to_string()} height={r.h.to_string()}/>
            {text(r.w / 2, r.h / 2 - 8, "h mid far-name", named(node, 10))}
            {text(r.w / 2, r.h / 2 + 34, if node.full() { "mono mid far-count am" } else { "mono mid far-count" },
                format!("{}/{} {}", node.pods, node.max_pods, ui.pods))}
            if let Some(worst) = worst { {badge(worst.class(), r.w - 20, 20, "2")} }
        </g>
    }
}

fn ready(node: &NodeBox, ui: &Ui, x: i32, y: i32) -> Html {
    match node.state {
        NodeState::Ready => cap(x, y, 46, "run", "Ready"),
        NodeState::Cordoned => cap(x - 14, y, 60, "idle", ui.cordoned),
        NodeState::NotReady => cap(x - 14, y, 60, "pend", ui.not_ready),
    }
}

/// One tick for each pod that may come; filled where one is, dark for those on the node's own network.
fn ticks(node: &NodeBox, x: i32, y: i32, w: i32, rows: u32) -> Html {
    if rows == 1 && node.max_pods > 40 {
        return html! { <g transform={at(x, y + 2)}>{meter(0, 0, w, node.pods * 1000 / node.max_pods)}</g> };
    }
    let most = node.max_pods.clamp(1, 116);
    let per_row = most.div_ceil(rows);
    let step = f64::from(w) / f64::from(per_row);
    let own = node.pods.saturating_sub(node.host_pods);
    let first_host = most.saturating_sub(node.host_pods);
    let one = |n: u32| {
        let class = match n {
            n if n >= first_host => "sh",
            n if n < own => "sr",
            _ => "se",
        };
        html! {
            <rect class={class} rx="1.5" x={format!("{:.1}", f64::from(n % per_row) * step)}
                y={(n / per_row * 11).to_string()} width={format!("{:.1}", (step - 2.0).clamp(1.5, 7.0))}
                height={if rows == 1 { "9" } else { "7" }}/>
        }
    };
    html! { <g transform={at(x, y)}>{for (0..most).map(one)}</g> }
}

fn large(node: &NodeBox, ui: &Ui, lit: &[String]) -> Html {
    let w = node.rect.w;
    let full = node.full();
    let count = format!("{}/{}", node.pods, node.max_pods);
    // The name takes what it needs; the badge follows it unless that would meet the meters.
    let name = named(node, 13);
    let ready_at = (44 + 8 * i32::try_from(name.chars().count()).unwrap_or(10)).min(146);
    html! {
        <>
            {mark(Icon::Node, 12, 12, 16)}
            {text(36, 21, "h t13", name)}
            {text(36, 37, "mono dim small", node.about.clone())}
            {ready(node, ui, ready_at, 9)}
            {text(206, 20, "dim", "CPU")}{meter(238, 14, 48, node.cpu)}
            {text(206, 37, "dim", "MEM")}{meter(238, 31, 48, node.memory)}
            {text(w - 120, 20, "dim", ui.pods)}
            <text x={(w - 20).to_string()} y="20" class={if full { "end am" } else { "end" }}>
                if full { {ui.full}{" "} }
                <tspan class={if full { "h mono am" } else { "h mono" }}>{count}</tspan>
            </text>
            {ticks(node, w - 120, 28, 101, 1)}
            <path class="rule" d={format!("M12 48H{}", w - 12)}/>
            {for node.enis.iter().map(|row| eni(node, row, ui, true))}
            {host(node, ui, lit, true)}
        </>
    }
}

fn narrow(node: &NodeBox, ui: &Ui, lit: &[String]) -> Html {
    let w = node.rect.w;
    let full = node.full();
    html! {
        <>
            {mark(Icon::Node, 12, 11, 16)}
            <text x="36" y="23" class="h t13">{named(node, 14)}
                <tspan dx="8" class="dim">{node.about.rsplit(" · ").next().unwrap_or_default().to_owned()}</tspan>
            </text>
            <text x={(w - 12).to_string()} y="23" class={if full { "end am h" } else { "end h" }}>
                if full { {ui.full}{" "} }{format!("{}/{}", node.pods, node.max_pods)}
            </text>
            <path class="rule" d={format!("M12 38H{}", w - 12)}/>
            {for node.enis.iter().map(|row| eni(node, row, ui, row.rect.h > 40))}
            {host(node, ui, lit, false)}
        </>
    }
}

fn medium(node: &NodeBox, ui: &Ui, lit: &[String]) -> Html {
    let w = node.rect.w;
    html! {
        <>
            {mark(Icon::Node, 10, 10, 16)}
            {text(32, 17, "h mono t12", named(node, 17))}
            <text x="32" y="31" class="mono dim small">{node.about.rsplit(" · ").next().unwrap_or_default().to_owned()}
                <tspan dx="8" class={if node.full() { "h am" } else { "h" }}>
                    {format!("{}/{}", node.pods, node.max_pods)}</tspan>
                <tspan dx="4" class="dim">{"pods"}</tspan>
            </text>
            {ready(node, ui, w - 58, 10)}
            if w >= 280 {
                {text(172, 19, "mono dim end small", "cpu")}{meter(178, 14, 50, node.cpu)}
                {text(172, 31, "mono dim end small", "mem")}{meter(178, 26, 50, node.memory)}
            }
            <path class="rule" d={format!("M10 38H{}", w - 10)}/>
            {for node.enis.iter().map(|row| eni(node, row, ui, false))}
            {host(node, ui, lit, false)}
        </>
    }
}

fn folded(node: &NodeBox, ui: &Ui) -> Html {
    let w = node.rect.w;
    let note = if node.tainted { ui.tainted } else { "" };
    html! {
        <>
            {mark(Icon::Node, 10, 10, 16)}
            {text(32, 22, "h t12", named(node, 14))}
            {text(32, 36, "mono dim small", node.about.rsplit(" · ").next().unwrap_or_default().to_owned())}
            {ready(node, ui, w - 56, 10)}
            <path class="rule" d={format!("M10 46H{}", w - 10)}/>
            {text(w - 12, 69, "dim end", note)}
            {for node.enis.iter().map(|row| eni(node, row, ui, false))}
        </>
    }
}

/// Width of a letter of a name or number on a tile.
const LETTER: i32 = 7;

fn tile(node: &NodeBox) -> Html {
    let h = node.rect.h;
    let tail: Vec<&str> = node.name.split('.').next().unwrap_or_default().rsplit('-').take(2).collect();
    let name = match tail.as_slice() {
        [last, before] if last.chars().all(|c| c.is_ascii_digit()) => format!(".{before}.{last}"),
        _ => named(node, usize::try_from((node.rect.w - 6) / LETTER).unwrap_or(9).min(9)),
    };
    let worst = node.worst.filter(|s| *s != PodState::Running && *s != PodState::Completed);
    html! {
        <>
            {text(8, 18, "mono h", name)}
            if h > 60 {
                {ticks(node, 8, 28, 54, node.max_pods.div_ceil(6).max(1))}
            }
            {text(8, if h > 60 { h - 10 } else { 34 }, if node.full() { "mono am" } else { "mono dim" },
                format!("{}/{}", node.pods, node.max_pods))}
            if let Some(worst) = worst { {badge(worst.class(), node.rect.w - 10, 10, "1")} }
        </>
    }
}

fn eni(node: &NodeBox, row: &EniRow, ui: &Ui, large: bool) -> Html {
    let (dx, dy) = (node.rect.x, node.rect.y);
    let y = row.rect.y + 2 - dy;
    let tray = row.tray.moved_by(-dx, -dy);
    let state = match row.state {
        EniState::Attached => "s-attached",
        EniState::Attaching => "s-attaching",
        EniState::Detaching => "s-detaching",
        EniState::None => "s-none",
    };
    let plug = if large {
        html! {
            <><rect class="plug" x="-7" y={(y + 14).to_string()} width="14" height="24"/>
            <path class="prong" d={format!("M-11 {}H-7M-11 {}H-7", y + 21, y + 31)}/></>
        }
    } else {
        html! {
            <><rect class="plug is-small" x="-5" y={(y + 4).to_string()} width="10" height="14"/>
            <path class="prong" d={format!("M-8 {}H-5M-8 {}H-5", y + 8, y + 14)}/></>
        }
    };
    let right = row.tray.x - dx + row.tray.w;
    let room = node.rect.w - right > 90;
    html! {
        <g key={row.id.clone()} class={classes!("k-eni", state, (!large).then_some("is-small"))}
            data-id={row.id.clone()}>
            {plug}
            if large {
                {text(16, y + if row.eni.is_empty() { 30 } else { 24 }, "h mono", row.device.clone())}
                {text(16, y + 38, "mono dim small", eni_tail(&row.eni, node.rect.w >= 400))}
            } else {
                {text(12, y + 15, "h mono small", row.device.clone())}
            }
            <rect class="tray" x={tray.x.to_string()} y={tray.y.to_string()} width={tray.w.to_string()}
                height={tray.h.to_string()}/>
            {for row.slots.iter().map(|s| {
                let mut s = s.clone();
                s.rect = s.rect.moved_by(-dx, -dy);
                slot(&s)
            })}
            if !row.slots.is_empty() { {bar(row, tray, large)} }
            if row.trunk {
                {text(tray.x + tray.w - 10, tray.y + tray.h / 2 + 4, "dim end", ui.trunk)}
            }
            if row.state == EniState::None {
                {text(tray.x + 10, tray.y + tray.h / 2 + 4, "dim", ui.not_attached)}
            } else if large && room {
                {text(node.rect.w - 20, y + 24, "dim end",
                    if row.state == EniState::Attaching { ui.attaching } else { ui.seats })}
                {text(node.rect.w - 20, y + 40, "end h mono", format!("{}/{}", row.used, row.seats))}
            }
        </g>
    }
}

/// A row's slots as one bar with its number, for a zoom at which slots cannot be counted.
fn bar(row: &EniRow, tray: lab::view::scene::Rect, large: bool) -> Html {
    // The number stands beside the bar: on it, it would be read against two grounds.
    let label = format!("{}/{}", row.used, row.seats);
    let beside = if large { 0 } else { 6 + LETTER * i32::try_from(label.len()).unwrap_or(3) };
    let inner = tray.w - 12 - beside;
    let filled = inner * i32::try_from(row.used).unwrap_or(0) / i32::try_from(row.seats.max(1)).unwrap_or(1);
    let y = tray.y + tray.h / 2;
    html! {
        <g class="lod-bar">
            <rect class="bar-t" x={(tray.x + 6).to_string()} y={(y - 6).to_string()} width={inner.to_string()} height="12"/>
            <rect class="bar-f" x={(tray.x + 6).to_string()} y={(y - 6).to_string()} width={filled.max(1).to_string()} height="12"/>
            if !large { {text(tray.x + tray.w - 6, y + 4, "h mono end bar-n", label)} }
        </g>
    }
}

fn host(node: &NodeBox, ui: &Ui, lit: &[String], large: bool) -> Html {
    let (dx, dy) = (node.rect.x, node.rect.y);
    let Some(line) = node.host_line.map(|y| y - dy) else { return Html::default() };
    let label = |pod: &lab::view::scene::HostPod| {
        let r = pod.rect.moved_by(-dx, -dy);
        let trouble = !matches!(pod.state, PodState::Running);
        html! {
            <g key={pod.id.clone()} class={classes!("k-pod", "s-host", trouble.then_some("is-troubled"),
                lit.contains(&pod.id).then_some("is-lit"))}
                data-id={pod.id.clone()} transform={at(r.x, r.y)}>
                <title>{&pod.name}</title>
                <rect class="b" width={r.w.to_string()} height={r.h.to_string()}/>
                <text class="tag" x={(r.w / 2).to_string()} y={(r.h / 2 + 4).to_string()}>{&pod.name}</text>
                if trouble { {badge(pod.state.class(), r.w - 1, 1, ".72")} }
            </g>
        }
    };
    let one_row = node.host.iter().all(|h| Some(h.rect.y) == node.host.first().map(|first| first.rect.y));
    let last = node.host.last().filter(|_| one_row).map(|h| h.rect.x + h.rect.w - dx);
    html! {
        <>
            if large { <path class="rule" d={format!("M12 {line}H{}", node.rect.w - 12)}/>
                {text(16, line + 22, "dim", ui.no_slot)} }
            {for node.host.iter().map(label)}
            if let Some(x) = last.filter(|x| large && node.rect.w - x > 130) {
                {text(x + 12, line + 22, "dim", format!("hostNetwork · +{}", node.host.len()))}
            }
        </>
    }
}
