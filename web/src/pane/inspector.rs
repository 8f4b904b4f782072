//! The inspector: why, state, the object, what was said about it, and paths.

use cluster::import::outlook::{Change, NoOutlook, Outlook};
use lab::{
    view::{
        feed::FeedGroup,
        imagine::Offer,
        inspector::Sheet,
        lesson::LessonView,
        path::{PathView, Verdict},
        pod::short_name,
        pool::Term,
        request::RequestView,
        subnet::{Block, BlockState, SubnetWhy},
        why::{PodWhy, Switch, Why},
    },
    words::{self, Lang, Mark, Step, fill},
};
use scheduler::Reason;
use std::rc::Rc;
use yew::{Callback, Html, Properties, classes, function_component, html};

use super::{
    feed,
    feed::clock,
    imagine::Imagine,
    matrix::{Matrix, Seen},
    path, pool, request,
};
use crate::{
    app::{Action, Tab, on},
    route::Route,
    scene::shapes::emblem,
    widget::{Icon, icon, rich},
};

/// What the inspector is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Id of the selection.
    pub selected: Option<String>,
    /// Its tab.
    pub tab: Tab,
    /// Its reasons.
    pub why: Option<Why>,
    /// Its facts.
    pub sheet: Option<Sheet>,
    /// The object as the API prints it.
    pub yaml: String,
    /// What was said about it.
    pub feed: Vec<FeedGroup>,
    /// The request that it is, and how much of it is told.
    #[prop_or_default]
    pub request: Option<(Rc<RequestView>, u8)>,
    /// The last request, where it is the API server.
    #[prop_or_default]
    pub asked: Option<u64>,
    /// The last path.
    pub path: Option<Rc<PathView>>,
    /// How many paths were followed so far.
    #[prop_or_default]
    pub paths: u64,
    /// The moment that is shown, for the table of who reaches whom.
    #[prop_or_default]
    pub moment: Option<Seen>,
    /// What a path can begin and end at.
    #[prop_or_default]
    pub ends: Vec<String>,
    /// Whether they are being chosen.
    #[prop_or_default]
    pub picking: bool,
    /// The ends that are chosen for the next path.
    #[prop_or_default]
    pub chosen: (String, String),
    /// Whether there is a decision to show.
    pub decided: bool,
    /// What can be imagined of the node.
    #[prop_or_default]
    pub offer: Option<Offer>,
    /// What is imagined of it, and what would follow.
    #[prop_or_default]
    pub imagined: Option<(Change, Result<Outlook, NoOutlook>)>,
    /// The term of a formula that is pointed at.
    #[prop_or_default]
    pub term: Option<Term>,
    /// The lesson, for the phone's sheet.
    #[prop_or_default]
    pub lesson: Option<LessonView>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The inspector.
#[function_component(Inspector)]
pub fn inspector(props: &Props) -> Html {
    let ui = props.lang.ui();
    let events: usize = props.feed.iter().map(|g| g.events.len()).sum();
    let only_asked = props.request.is_some();
    let tabs = [
        (Tab::Why, ui.why.to_owned()),
        (Tab::State, ui.state.to_owned()),
        (Tab::Yaml, "YAML".to_owned()),
        (Tab::Events, if events > 0 { format!("{} {events}", ui.events) } else { ui.events.to_owned() }),
        (Tab::Path, ui.path.to_owned()),
    ];
    let on_select = props.send.reform(Action::Select);
    let body = match props.tab {
        Tab::Path => html! {
            <div class="scroll" tabindex="0">
                <details class="other-path" open={props.picking || props.path.is_none()}>
                    <summary>{words::path::another(props.lang)}</summary>
                    <path::Ends known={props.ends.clone()} chosen={props.chosen.clone()} lang={props.lang} send={props.send.clone()}/>
                </details>
                if let Some(asked) = &props.moment { <Matrix asked={asked.clone()} lang={props.lang} send={props.send.clone()}/> }
                if let Some(view) = &props.path {
                    {path::hops(view, props.lang, props.selected.as_deref(), &on_select)}
                    <path::Fixes key={props.paths} view={Rc::clone(view)} lang={props.lang} send={props.send.clone()}/>
                } else { <p class="note">{ui.no_path}</p> }
            </div>
        },
        _ if props.selected.is_none() => {
            html! { <div class="scroll"><p class="note">{ui.nothing_selected}</p></div> }
        }
        Tab::Why => match &props.request {
            Some((view, told)) => request::request(view, *told, props.lang, &props.send),
            None => why(props),
        },
        Tab::State | Tab::Yaml | Tab::Events if only_asked => html! { <div class="scroll"/> },
        Tab::State => state(props),
        Tab::Yaml => html! {
            <div class="scroll" tabindex="0">
                <pre class="yaml">{props.yaml.clone()}</pre>
            </div>
        },
        Tab::Events => html! {
            <div class="scroll feed is-whole" tabindex="0">{feed::feed(&props.feed, 200, props.lang, &props.send)}</div>
        },
    };
    html! {
        <aside class="pane inspect" aria-label={ui.inspector} id="inspector">
            {head(props)}
            if props.sheet.as_ref().is_some_and(|s| !s.simulated) { <p class="stored">{icon(Icon::File, "s12")}<a href={Route::Coverage.hash()}>{ui.stored_only}</a></p> }
            <div class="tabs" role="tablist">
                {for tabs.into_iter().filter(|(tab, _)| !only_asked || matches!(tab, Tab::Why | Tab::Path)).map(|(tab, name)| html! {
                    <button role="tab" aria-selected={(props.tab == tab).to_string()} class={classes!((props.tab == tab).then_some("is-on"))}
                        onclick={on(&props.send, move || Action::Tab(tab))}>{name}</button>
                })}
            </div>
            {body}
            if let Some(seq) = props.asked.filter(|_| props.tab == Tab::Why) {
                <div class="l-foot"><button class="btn ghost grow" onclick={on(&props.send, move || Action::Select(Some(format!("Request/{seq}"))))}>
                    {ui.last_request}</button></div>
            }
            if props.decided && props.tab == Tab::Why {
                <div class="l-foot"><button class="btn ghost grow" onclick={on(&props.send, || Action::Decision(true))}>
                    {ui.open_decision}<kbd>{"w"}</kbd></button></div>
            }
        </aside>
    }
}

fn glyph(id: &str) -> Icon {
    match id.split('/').next().unwrap_or_default() {
        "Node" => Icon::Node,
        "Eni" | "Slot" | "Socket" => Icon::Eni,
        "Service" => Icon::Service,
        "NatGateway" => Icon::Nat,
        "ControlPlane" | "Part" => match id.split('/').nth(1).unwrap_or_default() {
            it if it.starts_with("etcd") => Icon::Etcd,
            "scheduler" => Icon::Funnel,
            "controller-manager" => Icon::Loop,
            "door" => Icon::Door,
            _ => Icon::Api,
        },
        "Subnet" => Icon::Lock,
        _ => Icon::Pod,
    }
}

fn head(props: &Props) -> Html {
    if let Some(path) = props.path.as_ref().filter(|_| props.tab == Tab::Path) {
        let good = path.verdict == Verdict::Reached;
        return html! {
            <div class="i-head">
                <span class={classes!("dot", "big", if good { "s-run" } else { "s-fail" })}>{icon(Icon::Trace, "s20")}</span>
                <div><h2>{words::path::ends(path)}</h2>
                    <span class="note">{format!("{} · ", props.lang.ui().path)}<b class={if good { "ink-run" } else { "ink-fail" }}>
                        {words::path::verdict(props.lang, path)}</b></span></div>
            </div>
        };
    }
    let Some(id) = &props.selected else {
        return html! {
            <div class="i-head"><span class="dot big">{icon(Icon::Select, "s20")}</span>
                <div><h2 class="is-none">{props.lang.ui().nothing_yet}</h2></div></div>
        };
    };
    if let Some((view, told)) = &props.request {
        let no = view.refused.as_ref().filter(|_| *told > 3);
        let what =
            if view.name.is_empty() { view.kind.to_owned() } else { format!("{}/{}", view.kind, view.name) };
        return html! {
            <div class="i-head">
                <span class={classes!("dot", "big", no.map(|_| "s-fail"))}>{icon(Icon::Api, "s20")}</span>
                <div><h2 title={what.clone()}>{format!("{} {}", view.verb, short_name(&what, 26))}</h2>
                    <span class="note">{format!("{} · {} · ", props.lang.ui().request, clock(view.at))}
                        if view.user.is_empty() { {"?"} } else { <b>{short_name(&view.user, 28)}</b> }</span></div>
            </div>
        };
    }
    let (title, note) = match &props.why {
        Some(Why::Pod(pod)) => {
            let age = if pod.age_secs < 120 {
                fill(props.lang.ui().seconds, pod.age_secs)
            } else {
                fill(props.lang.ui().whole_minutes, pod.age_secs / 60)
            };
            let state = props.lang.state(pod.state);
            (
                pod.name.clone(),
                html! { <>{format!("Pod · {} · {} ", pod.namespace, fill(props.lang.ui().age_for, age))}<b class={format!("ink-{}", pod.state.class())}>{state}</b></> },
            )
        }
        Some(Why::Node(node)) => (
            // The rest of a host's name is the same for all.
            node.name.split('.').next().unwrap_or_default().to_owned(),
            html! { {format!("Node · {} · {}/{}", node.instance_type, node.pods.0, node.pods.1)} },
        ),
        _ => {
            let mut parts = id.splitn(2, '/');
            let kind = parts.next().unwrap_or_default().to_owned();
            let name = parts.next().unwrap_or(&kind).rsplit('/').next().unwrap_or_default().to_owned();
            (name, html! { {kind} })
        }
    };
    html! {
        <div class="i-head">
            if let Some(Why::Pod(pod)) = &props.why { {emblem(&pod.tag, pod.state)} } else {
                <span class="dot big">{icon(glyph(id), "s20")}</span>
            }
            <div><h2 title={title.clone()}>{short_name(&title, 30)}</h2><span class="note">{note}</span></div>
        </div>
    }
}

fn why(props: &Props) -> Html {
    let Some(why) = &props.why else { return html! { <div class="scroll"/> } };
    let ui = props.lang.ui();
    let steps = props.lang.chain(why);
    let looked = match why {
        Why::Pod(pod) if !pod.nodes.is_empty() => Some(looked(pod, props)),
        _ => None,
    };
    let before = usize::from(looked.is_some());
    let (formula, raw) = match why {
        Why::Pod(pod) => (pod.full.as_ref().map(|(node, formula)| (node, *formula)), pod.raw.clone()),
        Why::Node(node) => (node.formula.map(|formula| (&node.name, formula)), None),
        Why::Subnet(..)
        | Why::Eni(..)
        | Why::Service(..)
        | Why::Part(..)
        | Why::Door(..)
        | Why::Thing(..) => (None, None),
    };
    let switches = match why {
        Why::Node(node) => node.switches.as_slice(),
        Why::Part(part) => part.switches.as_slice(),
        Why::Pod(..) | Why::Subnet(..) | Why::Eni(..) | Why::Service(..) | Why::Door(..) | Why::Thing(..) => {
            &[]
        }
    };
    html! {
        <div class="scroll" tabindex="0">
            <p class="lead">{props.lang.lead(why)}</p>
            <ol class="chain">
                {looked}
                if let Some((node, f)) = formula {
                    <li><span class="dot">{before + 1}</span><div><b>{fill(ui.where_from, f.result)}</b>
                        {pool::formula(node, f, props.term, props.lang, &props.send)}</div></li>
                }
                {for steps.iter().zip(before + usize::from(formula.is_some()) + 1..).map(|(step, number)| self::step(number, step))}
            </ol>
            if let Why::Node(node) = why { {for node.pool.iter().filter_map(|it| it.history.as_ref()).map(|it| pool::history(it, props.lang))} }
            if let Why::Subnet(subnet) = why { {blocks(subnet, props.lang)}{holders(subnet, props)} }
            if let (Why::Node(node), Some(offer)) = (why, &props.offer) {
                <Imagine node={node.name.clone()} offer={offer.clone()} imagined={props.imagined.clone()} lang={props.lang} send={props.send.clone()}/>
            }
            if let Some(raw) = raw { <div class="raw">{raw}</div> }
            if !switches.is_empty() { {self::switches(switches, props)} }
        </div>
    }
}

/// What can be switched off and on again here: each switch is a line of the script.
fn switches(all: &[Switch], props: &Props) -> Html {
    let ui = props.lang.ui();
    html! {
        <section class="switches" aria-label={ui.switches}>
            <h3>{ui.switches}</h3>
            {for all.iter().map(|it| {
                let line = it.line.clone();
                html! {
                    <button key={it.name.clone()} role="switch" aria-checked={it.running.to_string()} title={it.line.clone()}
                        class={classes!("switch", it.running.then_some("is-on"))}
                        onclick={on(&props.send, move || Action::Run(line.clone()))}>
                        <span class="mono">{it.name.clone()}</span>
                        <span class="said">{if it.running { ui.running } else { ui.stopped }}</span>
                        <i class="knob" aria-hidden="true"/>
                    </button>
                }
            })}
        </section>
    }
}

/// A subnet's blocks of 16, in the order of their addresses.
fn blocks(subnet: &SubnetWhy, lang: Lang) -> Html {
    // A subnet longer than a /24 has blocks whose last numbers are the same.
    let name = |block: &Block| match block.cidr.network().octets() {
        [.., third, last] if subnet.cidr.prefix_len() < 24 => format!(".{third}.{last}"),
        [.., last] => format!(".{last}"),
    };
    html! {
        <ul class="blocks" aria-label={lang.ui().blocks}>
            {for subnet.blocks.iter().map(|block| {
                let said = lang.block(block);
                html! {
                    <li class={block_class(block.state)} title={said.clone()} aria-label={said}>
                        <svg viewBox="0 0 8 2" preserveAspectRatio="none" aria-hidden="true">
                            <path d={cells(block.taken)}/><path class="own" d={cells(block.own)}/>
                        </svg>
                        <small class="mono">{name(block)}</small>
                    </li>
                }
            })}
        </ul>
    }
}

/// Who holds a subnet's addresses.
fn holders(subnet: &SubnetWhy, props: &Props) -> Html {
    let ui = props.lang.ui();
    html! {
        <section class="holders chain" aria-label={ui.holders}>
            <h3>{ui.holders}</h3>
            {for subnet.holders.iter().map(|it| {
                let id = it.id.clone();
                html! {
                    <button key={id.clone()} class="row" onclick={on(&props.send, move || Action::Select(Some(id.clone())))}>
                        <span>{props.lang.holder(it)}</span><span class="mono">{it.addresses}</span></button>
                }
            })}
            if subnet.unseen > 0 { <div class="row"><span>{ui.unseen_holder}</span><span class="mono">{subnet.unseen}</span></div> }
        </section>
    }
}

/// The addresses of a block whose bits are set, as squares in two rows of eight.
fn cells(bits: u16) -> String {
    let set = (0..16).filter(|place| bits & (1 << place) != 0);
    set.map(|place| format!("M{} {}h.84v.84h-.84z", place % 8, place / 8)).collect()
}

fn block_class(state: BlockState) -> &'static str {
    match state {
        BlockState::Whole => "is-whole",
        BlockState::Reserved(_) => "is-kept",
        BlockState::Broken => "is-broken",
        BlockState::Full => "is-full",
        BlockState::Prefix => "is-prefix",
    }
}

/// What the scheduler saw: one row for each node it was kept from, the one that matters first.
fn looked(pod: &PodWhy, props: &Props) -> Html {
    let ui = props.lang.ui();
    let main = pod.full.as_ref().map(|(node, _)| node.as_str());
    let mut nodes: Vec<&(String, Vec<Reason>)> = pod.nodes.iter().collect();
    nodes.sort_by_key(|(node, _)| Some(node.as_str()) != main);
    html! {
        <li><span class="dot">{"1"}</span><div><b>{fill(&fill(ui.looked_at, pod.nodes.len()), 0)}</b>
            {for nodes.into_iter().map(|(node, reason)| {
                let id = format!("Node/{node}");
                let here = Some(node.as_str()) == main;
                html! {
                    <button class={classes!("row", here.then_some("is-hover"))} onclick={on(&props.send, move || Action::Select(Some(id.clone())))}>
                        <span class="mono">{short_name(node, 20)}</span>
                        <span class={classes!("chip", here.then_some("s-pend"))} title={reason.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")}>{icon(Icon::X, "")}{props.lang.refusal(reason)}</span></button>
                }
            })}
        </div></li>
    }
}

pub(super) fn step(number: usize, step: &Step) -> Html {
    let dot = match step.mark {
        Mark::Number => html! { <span class="dot">{number}</span> },
        Mark::Good => html! { <span class="dot s-run">{icon(Icon::Check, "")}</span> },
        Mark::Bad => html! { <span class="dot s-fail">{icon(Icon::X, "")}</span> },
        Mark::Gate => html! { <span class="dot s-gate">{icon(Icon::Pause, "")}</span> },
        Mark::Wait => html! { <span class="dot s-pend">{icon(Icon::Clock, "")}</span> },
    };
    html! { <li>{dot}<div>{rich::sentence(&step.text)}</div></li> }
}

fn state(props: &Props) -> Html {
    let Some(sheet) = &props.sheet else { return html! { <div class="scroll"/> } };
    html! {
        <div class="scroll" tabindex="0">
            <dl class="facts">
                {for sheet.rows.iter().map(|(label, value)| html! {
                    <><dt>{props.lang.label(*label)}</dt><dd class="mono">{value.clone()}</dd></>
                })}
            </dl>
            if let Some(command) = &sheet.command {
                <button class="link" onclick={ {
                    let command = command.clone();
                    on(&props.send, move || Action::Type(command.clone()))
                } }><code>{command.clone()}</code></button>
            }
        </div>
    }
}
