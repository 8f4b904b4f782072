//! What if this node were of another type, gave out prefixes, or held other reserves: fields to try it, and what would follow.
//!
//! Nothing here is committed; the picture shows the same as a ghost.

use cluster::import::outlook::{Change, NoOutlook, Outlook};
use lab::{view::imagine::Offer, words::Lang};
use web_sys::{Event, HtmlInputElement};
use yew::{Callback, Html, Properties, classes, function_component, html};

use super::inspector::step;
use crate::app::{Action, on, target};

/// What it is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The node's name.
    pub node: String,
    /// What can be different.
    pub offer: Offer,
    /// What is imagined, and what would follow.
    pub imagined: Option<(Change, Result<Outlook, NoOutlook>)>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The fields and their answer.
#[function_component(Imagine)]
pub fn imagine(props: &Props) -> Html {
    let Props { node, offer, imagined, lang, send } = props;
    let (ui, texts) = (lang.ui(), lang.what_if());
    let change = imagined.as_ref().map(|it| it.0.clone()).unwrap_or_default();
    let then = |edit: fn(&mut Change, String)| {
        let (change, send) = (change.clone(), send.clone());
        Callback::from(move |event: Event| {
            let Some(field) = target::<HtmlInputElement>(&event) else { return };
            let mut change = change.clone();
            edit(&mut change, field.value().trim().to_owned());
            send.emit(Action::Imagine(change));
        })
    };
    let to_type = {
        let (change, send, from) = (change.clone(), send.clone(), offer.instance_type);
        Callback::from(move |event: Event| {
            let Some(field) = target::<HtmlInputElement>(&event) else { return };
            let to = field.value().trim().to_owned();
            let instance_type = (!to.is_empty() && to != from).then(|| (from.to_owned(), to));
            send.emit(Action::Imagine(Change { instance_type, ..change.clone() }));
        })
    };
    let prefixes = {
        let change = Change { prefix_delegation: !change.prefix_delegation, ..change.clone() };
        on(send, move || Action::Imagine(change.clone()))
    };
    let number = |name: &'static str, now: u32, given: Option<u32>, onchange: Callback<Event>| {
        html! {
            <label class="im-row"><span class="mono">{name}</span>
                <input type="number" min="0" max="999" inputmode="numeric" placeholder={now.to_string()}
                    value={given.map(|it| it.to_string()).unwrap_or_default()} {onchange}/></label>
        }
    };
    let chosen = change.instance_type.as_ref().map(|it| it.1.clone()).unwrap_or_default();
    html! {
        <section class="imagine" aria-label={texts.what_if}>
            <h3>{texts.what_if}</h3>
            <label class="im-row"><span>{ui.imagined_type}</span>
                <input type="text" list="family" autocapitalize="off" spellcheck="false" placeholder={offer.instance_type} value={chosen} onchange={to_type}/></label>
            <datalist id="family">{for offer.family.iter().map(|name| html! { <option value={*name}/> })}</datalist>
            if offer.prefixes {
                <button class={classes!("switch", "im-switch", change.prefix_delegation.then_some("is-on"))} role="switch" aria-checked={change.prefix_delegation.to_string()} onclick={prefixes}>
                    <span class="mono">{"ENABLE_PREFIX_DELEGATION"}</span><i class="knob" aria-hidden="true"/></button>
            }
            if let Some(now) = &offer.targets {
                {number("WARM_ENI_TARGET", now.warm_eni, change.warm_eni, then(|it, text| it.warm_eni = text.parse().ok()))}
                {number("WARM_IP_TARGET", now.warm_ip, change.warm_ip, then(|it, text| it.warm_ip = text.parse().ok()))}
                {number("MINIMUM_IP_TARGET", now.minimum_ip, change.minimum_ip, then(|it, text| it.minimum_ip = text.parse().ok()))}
                {number("WARM_PREFIX_TARGET", now.warm_prefix, change.warm_prefix, then(|it, text| it.warm_prefix = text.parse().ok()))}
            }
            <div role="status">
                {match imagined.as_ref().map(|it| &it.1) {
                    Some(Ok(found)) => html! {
                        <ol class="chain">{for lang.would_be(found, node).iter().zip(1..).map(|(it, number)| step(number, it))}</ol>
                    },
                    Some(Err(error)) => html! { <p class="note ink-fail">{error.to_string()}</p> },
                    None => html! {},
                }}
            </div>
            if imagined.is_some() {
                <p class="note">{texts.not_applied}{" "}<button class="link" onclick={on(send, || Action::Imagine(Change::default()))}>{texts.clear}</button></p>
            }
        </section>
    }
}
