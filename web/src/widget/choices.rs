//! One of several: a group of radio buttons that arrows lead through.

use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;
use yew::{Callback, Html, Properties, classes, function_component, html};

use super::{Icon, icon};
use crate::app::target;

/// What the group is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Element that says what is asked.
    pub labelled_by: String,
    /// The value that is stored, and how it reads.
    pub options: Vec<(String, String)>,
    /// What is picked; empty if nothing is.
    pub picked: String,
    /// What was answered: nothing can be picked any more.
    #[prop_or_default]
    pub given: Option<String>,
    /// What would have been right, once it may be shown.
    #[prop_or_default]
    pub answer: Option<String>,
    /// Hears what is picked.
    pub pick: Callback<String>,
}

/// The group.
#[function_component(Choices)]
pub fn choices(props: &Props) -> Html {
    let Props { options, picked, given, answer, .. } = props;
    let option = |value: &String, text: &String| {
        let class = match (answer, given) {
            (Some(answer), _) if answer == value => Some("is-right"),
            (_, Some(given)) if given == value => Some("is-pick"),
            (_, Some(_)) => Some("is-off"),
            (_, None) if picked == value => Some("is-pick"),
            (_, None) => None,
        };
        let chosen = given.as_deref().unwrap_or(picked) == value;
        let onclick = {
            let (pick, value) = (props.pick.clone(), value.clone());
            Callback::from(move |_| pick.emit(value.clone()))
        };
        // One of the options is in the tab order; arrows lead to the others. Source: ARIA practices, radio group.
        let first = options.first().is_some_and(|(first, _)| first == value);
        let none = given.is_none() && !options.iter().any(|(option, _)| option == picked);
        let stop = chosen || (first && none);
        html! {
            <button class={classes!("opt", class)} role="radio" aria-checked={chosen.to_string()} disabled={given.is_some()}
                tabindex={if stop { "0" } else { "-1" }} data-value={value.clone()} {onclick}>
                if class == Some("is-right") { {icon(Icon::Check, "s12")} }{text.clone()}
            </button>
        }
    };
    let onkeydown = {
        let (pick, values) = (props.pick.clone(), options.clone());
        Callback::from(move |event: KeyboardEvent| {
            let by = match event.key().as_str() {
                "ArrowDown" | "ArrowRight" => 1,
                "ArrowUp" | "ArrowLeft" => values.len().saturating_sub(1),
                _ => return,
            };
            event.prevent_default();
            let here = target::<web_sys::Element>(&event).and_then(|it| it.get_attribute("data-value"));
            let at = values.iter().position(|(value, _)| Some(value) == here.as_ref()).unwrap_or_default();
            let Some((next, _)) = values.get((at + by) % values.len().max(1)) else { return };
            pick.emit(next.clone());
            let group = target::<web_sys::Element>(&event).and_then(|it| it.parent_element());
            let options = group.and_then(|it| it.query_selector_all("[role=radio]").ok());
            let found = options.into_iter().flat_map(|it| (0..it.length()).filter_map(move |i| it.get(i)));
            let next_one = found
                .filter_map(|it| it.dyn_into::<web_sys::HtmlElement>().ok())
                .find(|it| it.get_attribute("data-value").as_ref() == Some(next));
            if let Some(element) = next_one {
                // An option that cannot take focus leaves it where it was.
                let _ = element.focus();
            }
        })
    };
    let fits = |most: usize| options.iter().all(|(_, text)| text.chars().count() <= most);
    let short = fits(4);
    let row = options.len() <= 4 && fits(10);
    let square = row && options.len() == 4;
    let class = classes!(
        "opts",
        (!short).then_some("is-long"),
        (!short && row).then_some("is-row"),
        (!short && square).then_some("is-square")
    );
    html! {
        <div {class} role="radiogroup" aria-labelledby={props.labelled_by.clone()} {onkeydown}>
            {for options.iter().map(|(value, text)| option(value, text))}
        </div>
    }
}
