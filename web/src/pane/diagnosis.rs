//! What an incident asks at its end: which cause, and which object proves it.

use lab::{view::lesson::DiagnosisView, words::Lang};
use yew::{Callback, Html, Properties, classes, function_component, html, use_state};

use crate::{
    app::Action,
    widget::{Icon, choices::Choices, icon, rich},
};

/// What it is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is asked, and what was said.
    pub view: DiagnosisView,
    /// What is picked in the scene: the proof.
    pub selected: Option<String>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The question, the proof, and what speaks against a cause that was named.
#[function_component(Diagnosis)]
pub fn diagnosis(props: &Props) -> Html {
    let Props { view, selected, lang, send } = props;
    let ui = lang.ui();
    let picked = use_state(String::new);
    let pick = {
        let picked = picked.clone();
        Callback::from(move |value: String| picked.set(value))
    };
    let done = view.given.as_ref().filter(|_| view.right);
    let name = {
        let (send, cause, evidence) = (send.clone(), (*picked).clone(), selected.clone());
        Callback::from(move |_| {
            let Some(evidence) = evidence.clone().filter(|_| !cause.is_empty()) else { return };
            send.emit(Action::Explain(cause.clone(), evidence));
        })
    };
    let proof = done.map(|(_, evidence)| evidence).or(selected.as_ref());
    html! {
        <>
            <div class="sec"><span>{ui.explain}</span></div>
            <div class="predict" id="diagnosis">
                <h4 id="asks-cause">{rich::inlines(&view.text, *lang)}</h4>
                <Choices labelled_by="asks-cause" options={view.causes.clone()} picked={(*picked).clone()}
                    given={done.map(|(cause, _)| cause.clone())} answer={done.map(|(cause, _)| cause.clone())} {pick}/>
                <p class={classes!("proof", proof.is_none().then_some("is-none"))}>
                    if let Some(proof) = proof { {ui.proof}{" "}<code>{proof.clone()}</code> } else { {ui.no_proof} }
                </p>
                if done.is_none() {
                    <button class="btn ghost small lock" onclick={name}
                        disabled={picked.is_empty() || selected.is_none()}>{ui.name_cause}</button>
                }
            </div>
            if view.given.is_some() && !view.right {
                <div class="say" role="status">{icon(Icon::Chat, "")}<div>{rich::blocks(&view.reply, *lang)}</div></div>
            }
        </>
    }
}
