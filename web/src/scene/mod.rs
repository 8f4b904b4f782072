//! The picture: `lab::view::scene` in strokes, diffed by key so that what moves is one attribute.

mod node;
pub mod path;
mod plane;
pub mod shapes;
mod stage;
pub mod verdict;

use std::rc::Rc;

use lab::{
    view::{
        pod::short_name,
        scene::{NetworkBox, NetworkKind, Part, PartKind, Rect, Scene, ServiceStrip, SubnetBox, Supply},
        subnet::BlockState,
    },
    words::{Lang, Ui, fill},
};
use yew::{Html, Properties, classes, function_component, html};

use crate::widget::{Icon, mark};
use node::Node;
use shapes::{Pod, at, badge, meter, plate, rect, tail, text};
pub use stage::Stage;

/// What the picture is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Where everything stands.
    pub scene: Rc<Scene>,
    /// In which language.
    pub lang: Lang,
    /// Id of the selection.
    #[prop_or_default]
    pub selected: Option<String>,
    /// Ids of what just changed, for those who want no motion.
    #[prop_or_default]
    pub changed: Rc<Vec<String>>,
    /// Where things stand that are being counted.
    #[prop_or_default]
    pub counted: Rc<Vec<Rect>>,
    /// Ids of nodes that the scheduler has just turned down.
    #[prop_or_default]
    pub dimmed: Rc<Vec<String>>,
    /// How far the last request came: authentication, authorization, admission, storage.
    #[prop_or_default]
    pub stages: u8,
    /// Whether it was refused at the next of them.
    pub refused: bool,
    /// Ids on a path that is looked at; the rest steps back. Empty: nothing does.
    #[prop_or_default]
    pub lit: Rc<Vec<String>>,
    /// From the scheduler to the node that has no room.
    #[prop_or_default]
    pub thread: Rc<Vec<(i32, i32)>>,
    /// What else lies over the picture: paths, threads, the packet.
    #[prop_or_default]
    pub overlay: Html,
}

/// Everything inside the picture's `svg`.
#[function_component(Picture)]
pub fn picture(props: &Props) -> Html {
    let Props { scene, lang, selected, changed, counted, dimmed, stages, refused, lit, thread, overlay } =
        props;
    let ui = lang.ui();
    let is = |id: &str| selected.as_deref() == Some(id);
    let dims = |node: &lab::view::scene::NodeBox| {
        let off_path = !lit.is_empty() && !on_path(scene, node, lit);
        off_path || dimmed.contains(&node.id)
    };
    html! {
        <>
            if let Some(r) = scene.outside { {outside(r, ui)} }
            if let Some(band) = &scene.control_plane {
                {plane::plane(band, ui, (*stages, *refused))}
            }
            {for scene.networks.iter().map(|n| network(n, ui, scene.nodes.is_empty() && scene.subnets.is_empty()))}
            {for scene.zones.iter().zip(&scene.zone_names).map(|(r, name)| zone(*r, name))}
            {for scene.subnets.iter().map(|s| subnet(s, ui))}
            {for scene.parts.iter().map(|p| part(p, ui))}
            {for scene.nodes.iter().map(|n| html! {
                <Node key={n.id.clone()} node={n.clone()} lang={*lang} lit={lit.clone()} selected={is(&n.id)}
                    dimmed={dims(n)}/>
            })}
            {for scene.subnets.iter().filter_map(|s| Some((s, s.handle?))).map(|(s, r)| html! {
                <rect key={s.id.clone()} class="handle" data-id={s.id.clone()} x={r.x.to_string()} y={r.y.to_string()}
                    width={r.w.to_string()} height={r.h.to_string()}/>
            })}
            {for scene.services.iter().map(|s| service(s, ui, selected.as_deref()))}
            if let Some(r) = scene.legend { {legend(r, ui)} }
            {misfit(thread)}
            {for scene.pods.iter().map(|p| html! {
                <Pod key={p.id.clone()} pod={p.clone()} selected={is(&p.id)} changed={changed.contains(&p.id)}
                    dimmed={!lit.is_empty() && !lit.contains(&p.id)}/>
            })}
            {overlay.clone()}
            {for counted.iter().map(|r| rect(Rect { x: r.x - 3, y: r.y - 3, w: r.w + 6, h: r.h + 6 }, "counted"))}
            if let Some(r) = selected.as_deref().filter(|id| framed(id)).and_then(|id| scene.rect_of(id)) {
                <g class="is-sel"><rect class="ring" x={(r.x - 4).to_string()} y={(r.y - 4).to_string()}
                    width={(r.w + 8).to_string()} height={(r.h + 8).to_string()}/></g>
            }
        </>
    }
}

/// Whether a path touches a node, or something on it.
fn on_path(scene: &Scene, node: &lab::view::scene::NodeBox, lit: &[String]) -> bool {
    lit.iter().any(|id| {
        *id == node.id
            || node.host.iter().any(|host| host.id == *id)
            || scene.rect_of(id).is_some_and(|r| {
                let n = node.rect;
                r.x >= n.x && r.x < n.x + n.w && r.y >= n.y && r.y < n.y + n.h
            })
    })
}

/// The strip for what is outside the network.
fn outside(r: Rect, ui: &Ui) -> Html {
    html! {
        <g class="k-out" data-id="Internet">
            <path class="road" d={format!("M{} {}H{}", r.x, r.y + r.h / 2, r.x + r.w)}/>
            <rect class="tag" x={(r.x + r.w - 76).to_string()} y={(r.y + r.h / 2 - 9).to_string()} width="72" height="18"/>
            {text(r.x + r.w - 8, r.y + r.h / 2 + 4, "dim end", ui.outside)}
        </g>
    }
}

/// The amber thread: one route from the symptom at the door to the node that has no room.
fn misfit(corners: &[(i32, i32)]) -> Html {
    let Some(&(x, y)) = corners.last() else { return Html::default() };
    html! {
        <g class="k-thread"><path class="thread" d={path::corners(corners)}/>{badge("fail", x, y, "1.15")}</g>
    }
}

/// Whether the selection's ring is drawn here; pods and nodes draw their own.
fn framed(id: &str) -> bool {
    !id.starts_with("Pod/") && !id.starts_with("Node/")
}

fn network(network: &NetworkBox, ui: &Ui, empty: bool) -> Html {
    let r = network.rect;
    html! {
        <g key={network.id.clone()} class={classes!("k-vpc", (network.kind != NetworkKind::Vpc).then_some("is-kind"))}
            data-id={network.id.clone()} transform={at(r.x, r.y)}>
            {plate(r.w, r.h, "plate")}
            <text x="16" y="20" class="lab t12">{ui.network(network.kind)}
                {tail("lab2 mono", network.cidr.clone())}</text>
            if empty { {text(16, 50, "dim", ui.empty_subnet)} }
        </g>
    }
}

fn zone(r: Rect, name: &str) -> Html {
    let letter = name.chars().last().unwrap_or(' ');
    html! {
        <g key={name.to_owned()} class="k-az" data-id={format!("Az/{name}")} transform={at(r.x, r.y)}>
            {plate(r.w, r.h, "plate")}
            <text x="12" y="18" class="lab">{format!("AZ {letter}")}{tail("lab2 dim mono", name.to_owned())}</text>
        </g>
    }
}

fn subnet(subnet: &SubnetBox, ui: &Ui) -> Html {
    let r = subnet.rect;
    let supply = match subnet.supply {
        Supply::Enough => None,
        Supply::Low => Some("is-low"),
        Supply::Out => Some("is-out"),
    };
    let (kind, cidr) = (if subnet.public { ui.public } else { ui.private }, short_block(&subnet.cidr, r.w));
    let count = format!("{}/{}", subnet.free, subnet.total);
    let right = METER + 18 + wide(&count) + if subnet.fragmented { 48 } else { 0 };
    // The lock says it too: where both do not fit, the block is worth more.
    let kind = if 24 + wide(kind) + 6 + wide(&cidr) + right > r.w { "" } else { kind };
    html! {
        <g key={subnet.id.clone()} class={classes!("k-subnet", if subnet.public { "is-pub" } else { "is-priv" }, supply)}
            data-id={subnet.id.clone()} transform={at(r.x, r.y)}>
            {plate(r.w, r.h, "plate")}
            {mark(if subnet.public { Icon::Open } else { Icon::Lock }, 8, 5, 12)}
            <text x="24" y="15" class="lab">{kind}{tail("lab2 mono", cidr)}</text>
            {supply_of(subnet)}
            if subnet.supply == Supply::Out {
                {text(r.w - 14 - METER, 15, "lab2 mono end out h", "0 IPs")}
            } else {
                {text(r.w - 14 - METER, 15, "lab2 mono end", count)}
            }
            if subnet.fragmented {
                <rect class="broken" x={(r.w - 8 - METER).to_string()} y="6" width={METER.to_string()} height="10" rx="2"/>
                {text(r.w - 14 - METER - 48, 15, "lab2 mono end out h", ui.no_block)}
            }
            if subnet.empty || subnet.undrawn > 0 && r.w >= 300 {
                {text(if subnet.empty { 24 } else { 190 }, if subnet.empty { 36 } else { 15 }, "dim",
                    if subnet.undrawn == 0 { ui.empty_subnet.to_owned() } else { fill(ui.other_enis, subnet.undrawn) })}
            }
        </g>
    }
}

/// Width of a subnet's meter.
const METER: i32 = 44;

/// About how wide a label is: a Korean letter is as wide as a square.
fn wide(label: &str) -> i32 {
    label.chars().map(|letter| if letter.is_ascii() { 7 } else { 11 }).sum()
}

/// What of a subnet is taken: a bar, or one for each of its blocks of 16 where they are few. A subnet with a little missing in
/// every block is as free as one with a block gone, and can give no prefix.
fn supply_of(subnet: &SubnetBox) -> Html {
    let left = f64::from(subnet.rect.w - 8 - METER);
    let bar = |x: f64, w: f64, share: f64, class: &'static str| {
        let filled = if share > 0.0 { (w * share).max(2.0) } else { 0.0 };
        html! {
            <><rect class={classes!("meter-t", class)} x={format!("{x:.1}")} y="8" width={format!("{w:.1}")} height="6" rx="1.5"/>
            <rect class={classes!("meter-f", class)} x={format!("{x:.1}")} y="8" width={format!("{filled:.1}")} height="6" rx="1.5"/></>
        }
    };
    if subnet.blocks.is_empty() {
        let used = subnet.total.saturating_sub(subnet.free);
        return bar(left, f64::from(METER), f64::from(used) / f64::from(subnet.total.max(1)), "");
    }
    let pitch = f64::from(METER) / subnet.blocks.len() as f64;
    let gap = if subnet.blocks.len() > 4 { 1.0 } else { 2.0 };
    html! {
        {for subnet.blocks.iter().enumerate().map(|(index, block)| {
            let share = f64::from((block.taken | block.own).count_ones()) / 16.0;
            let class = if block.state == BlockState::Prefix { "is-prefix" } else { "" };
            bar(left + pitch * index as f64, pitch - gap, share, class)
        })}
    }
}

/// A block without its first two numbers, where a narrow box has no room for them.
fn short_block(cidr: &str, width: i32) -> String {
    let rest = cidr.splitn(3, '.').nth(2);
    rest.filter(|_| width < 260).map_or_else(|| cidr.to_owned(), |rest| format!(".{rest}"))
}

fn part(part: &Part, ui: &Ui) -> Html {
    let r = part.rect;
    let inner = match part.kind {
        PartKind::Nat => html! {
            <>{mark(Icon::Nat, 0, 2, 16)}
            <text x="22" y="14" class="pt">{"NAT"}{tail("mono dim", part.address.clone())}</text></>
        },
        // A name of its own leaves room for the end of the address only.
        PartKind::LoadBalancer | PartKind::Endpoint => html! {
            <>{mark(if part.kind == PartKind::Endpoint { Icon::Endpoint } else { Icon::Nlb }, 0, 2, 16)}
            <text x="22" y="14" class="pt">{short_name(&part.name, 12)}
                {tail("mono dim", format!(".{}", part.address.rsplit('.').next().unwrap_or_default()))}</text></>
        },
        PartKind::CrossAccountEni => html! {
            <>{plate(r.w, r.h, "tray")}{rect(Rect { x: 3, y: 3, w: r.w - 6, h: r.h - 6 }, "tray2")}
            {mark(Icon::Eni, 12, 14, 16)}{text(36, 20, "h", ui.cross_eni)}
            {text(36, 34, "mono small", format!("{} · EKS", part.address))}</>
        },
        PartKind::CrossAccountTag => html! {
            <>{plate(r.w, r.h, "tray is-small")}{rect(Rect { x: 2, y: 2, w: r.w - 4, h: r.h - 4 }, "tray2 is-small")}
            {text(r.w / 2, 13, "mid", format!("{} .{}", ui.cross_eni, part.address.rsplit('.').next().unwrap_or_default()))}</>
        },
        PartKind::InternetGateway => html! {
            <>{plate(r.w, r.h, "card is-small")}{mark(Icon::Igw, 14, r.h / 2 - 8, 16)}{text(38, r.h / 2 + 4, "pt", ui.internet_gateway)}</>
        },
        PartKind::Actor | PartKind::Internet => html! {
            <>{plate(r.w, r.h, "card is-small")}
            {mark(if part.kind == PartKind::Actor { Icon::Laptop } else { Icon::Globe }, 12, r.h / 2 - 8, 16)}
            {text(38, 16, "h", if part.kind == PartKind::Actor { part.name.clone() } else { ui.outside.to_owned() })}
            {text(38, 30, "mono dim small", part.address.clone())}</>
        },
    };
    let class = match part.kind {
        PartKind::CrossAccountEni | PartKind::CrossAccountTag => "k-eni is-x",
        PartKind::Nat
        | PartKind::LoadBalancer
        | PartKind::Endpoint
        | PartKind::InternetGateway
        | PartKind::Actor
        | PartKind::Internet => "k-part",
    };
    html! {
        <g key={part.id.clone()} class={class} data-id={part.id.clone()} transform={at(r.x, r.y)}>
            <title>{&part.name}</title>{inner}
        </g>
    }
}

fn service(service: &ServiceStrip, ui: &Ui, selected: Option<&str>) -> Html {
    let r = service.rect;
    html! {
        <g key={service.id.clone()} class="k-svc" data-id={service.id.clone()} transform={at(r.x, r.y)}>
            {plate(r.w, r.h, "ghostbox")}
            {mark(Icon::Service, 16, 14, 16)}
            <text x="40" y="26" class="h t13">{format!("{} {}", ui.service, service.name)}
                {tail("dim", service.kind.clone())}{tail("mono", service.address.clone())}</text>
            {text(40, 46, "dim", ui.service_is_rules)}
            if let Some((port, target)) = &service.ports {
                {text(40, 64, "mono dim", format!("port {port} → targetPort {target}"))}
            }
            {for service.endpoints.iter().map(|e| {
                let b = e.rect.moved_by(-r.x, -r.y);
                html! {
                    <g key={e.address.clone()} class={classes!("k-ep", (selected == Some(e.pod.as_str())).then_some("is-hot"))}
                        data-id={e.pod.clone()} transform={at(b.x, b.y)}>
                        {plate(b.w, b.h, "epb")}
                        <g class={classes!("k-pod", "is-small", if e.ready { "s-run" } else { "s-notready" })} transform="translate(10,12)">
                            <rect class="b" width="20" height="20"/>
                            <text class="tag" x="10" y="13.5">{&e.tag}</text>
                        </g>
                        {text(40, 19, "mono h", e.address.clone())}
                        {text(40, 34, "dim", if e.ready { "ready" } else { ui.not_ready })}
                    </g>
                }
            })}
        </g>
    }
}

fn legend(r: Rect, ui: &Ui) -> Html {
    let rows = [
        ("prim", ui.legend_primary),
        ("used", ui.legend_used),
        ("warm", ui.legend_warm),
        ("cool", ui.legend_cooldown),
        ("empty", ui.legend_empty),
    ];
    html! {
        <g class="k-legendbox" transform={at(r.x, r.y)}>
            {plate(r.w, r.h, "lg")}
            {for rows.iter().zip(0..).map(|((state, words), n)| html! {
                <g transform={at(12, 8 + n * 24)}>
                    <g class={classes!("k-slot", "is-small", format!("s-{state}"))}>
                        <rect x=".5" y=".5" width="19" height="19"/>
                        if *state == "prim" { <text class="ct" x="10" y="14">{"P"}</text> }
                        if *state == "warm" { <circle cx="10" cy="10" r="3.5"/> }
                        if *state == "used" {
                            <g class="k-pod is-small s-run"><rect class="b" width="20" height="20"/>
                            <text class="tag" x="10" y="13.5">{"we"}</text></g>
                        }
                    </g>
                    {text(30, 14, "", *words)}
                </g>
            })}
        </g>
    }
}

/// The meter of a share, for panes that show one outside the picture.
pub fn share(thousandths: u32) -> Html {
    html! { <svg class="scene share" width="48" height="4" aria-hidden="true">{meter(0, 0, 48, thousandths)}</svg> }
}
