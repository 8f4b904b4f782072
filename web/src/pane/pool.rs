//! A node's limit of pods, term by term, and the curve of its address pool.

use lab::{
    view::pool::{Formula, History, Term},
    words::Lang,
};
use yew::{Callback, Html, classes, html};

use super::feed::clock;
use crate::app::Action;

/// The formula: pointing at a term, focusing or tapping it rings what it counts.
pub fn formula(node: &str, f: Formula, pointed: Option<Term>, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    let term = |term: Term, number: String, name: &'static str| {
        let point = |term: Option<Term>| {
            let (node, send) = (node.to_owned(), send.clone());
            move || send.emit(Action::Point(term.map(|term| (node.clone(), term))))
        };
        let (enter, focus, click, leave, blur) =
            (point(Some(term)), point(Some(term)), point(Some(term)), point(None), point(None));
        html! {
            <button class={classes!("p", (pointed == Some(term)).then_some("is-hot"))} aria-label={lang.term(term, &f)}
                onmouseenter={move |_| enter()} onfocus={move |_| focus()} onclick={move |_| click()}
                onmouseleave={move |_| leave()} onblur={move |_| blur()}>{number}<small>{name}</small></button>
        }
    };
    let op = |sign: &'static str| html! { <span class="op">{sign}</span> };
    html! {
        <>
            <div class="formula">
                {term(Term::Enis, f.enis.to_string(), ui.cards)}{op("×")}
                {term(Term::Addresses, format!("({}", f.addresses), ui.addresses)}{op("−")}
                {term(Term::Own, "1)".to_owned(), ui.own)}
                if f.per_slot > 1 { {op("×")}{term(Term::PerSlot, f.per_slot.to_string(), ui.per_slot)} }
                {op("+")}{term(Term::Host, f.host.to_string(), "host")}{op("=")}
                if f.sum == f.result { <span class="p">{f.result}<small>{ui.max}</small></span> } else {
                    <span class="p">{f.sum}<small>{"\u{a0}"}</small></span>{op("→")}{term(Term::Most, f.result.to_string(), ui.max)}
                }
            </div>
            if let Some(term) = pointed { <p class="note" role="status">{lang.term(term, &f)}</p> }
            if f.limit <= 36 { <div class="seats" aria-hidden="true">{for (0..f.limit).map(|n| seat(&f, n))}</div> }
        </>
    }
}

fn seat(f: &Formula, n: u32) -> Html {
    let class = match n {
        n if n >= f.limit.saturating_sub(f.host_pods) => "h",
        n if n < f.pods.saturating_sub(f.host_pods) => "",
        _ => "e",
    };
    html! { <i class={class}/> }
}

/// Width and height of the curve's own plane.
const PLANE: (f64, f64) = (280.0, 48.0);
/// Of it for how it is now: what has just changed is seen too.
const NOW: f64 = 16.0;

/// What pods used and what the node held, from the first command on.
pub fn history(it: &History, lang: Lang) -> Html {
    let ui = lang.ui();
    let (Some(first), Some(last)) = (it.samples.first(), it.samples.last()) else { return Html::default() };
    let most = it.samples.iter().map(|sample| sample.attached.max(sample.used)).max().unwrap_or(0).max(1);
    let span = it.until.since(first.at).0.max(1) as f64;
    let x = |at: api::SimTime| at.since(first.at).0 as f64 / span * (PLANE.0 - NOW);
    let y = |count: u32| PLANE.1 - 2.0 - f64::from(count) / f64::from(most) * (PLANE.1 - 6.0);
    let line = |of: fn(&lab::view::pool::Sample) -> u32| {
        let steps =
            it.samples.iter().skip(1).map(|sample| format!("H{:.1}V{:.1}", x(sample.at), y(of(sample))));
        format!("M0 {:.1}{}H{}", y(of(first)), steps.collect::<String>(), PLANE.0)
    };
    let held = line(|sample| sample.attached);
    html! {
        <figure class="pool-history">
            <figcaption>{ui.pool_history}</figcaption>
            <svg viewBox={format!("0 0 {} {}", PLANE.0, PLANE.1)} preserveAspectRatio="none" aria-hidden="true">
                <path class="area" d={format!("{held}V{}H0z", PLANE.1)}/><path class="held" d={held}/>
                <path class="used" d={line(|sample| sample.used)}/>
            </svg>
            <p class="note"><span class="key is-held"/>{ui.pool_held}{" "}<b class="mono">{last.attached}</b>
                <span class="key is-used"/>{ui.pool_used}{" "}<b class="mono">{last.used}</b></p>
            <p class="note">{lang.history(it)}</p>
            <table class="vh"><thead><tr><th>{"t"}</th><th>{ui.pool_used}</th><th>{ui.pool_held}</th><th>{it.subnet.clone()}</th></tr></thead>
                <tbody>{for it.samples.iter().map(|sample| html! {
                    <tr><td>{clock(sample.at)}</td><td>{sample.used}</td><td>{sample.attached}</td><td>{sample.free}</td></tr>
                })}</tbody></table>
        </figure>
    }
}
