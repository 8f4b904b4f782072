//! Cards that are put in order: by dragging, by tapping a card and then its place, or with Space and the arrows.

use lab::{view::lesson::QuestionView, words::Lang};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, PointerEvent};
use yew::{
    Callback, Html, Properties, classes, function_component, html, use_effect_with, use_mut_ref,
    use_node_ref, use_state,
};

use crate::widget::{Icon, icon};

/// What the cards are drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The question.
    pub question: QuestionView,
    /// In which language.
    pub lang: Lang,
    /// Where the order goes once it is locked.
    pub lock: Callback<String>,
}

/// `list` with one item somewhere else.
fn moved(list: &[String], item: &str, to: usize) -> Vec<String> {
    let mut list: Vec<String> = list.to_vec();
    if let Some(from) = list.iter().position(|it| it == item) {
        let item = list.remove(from);
        list.insert(to.min(list.len()), item);
    }
    list
}

/// The card under a point of the page.
fn card_at(event: &PointerEvent) -> Option<String> {
    let document = gloo::utils::document();
    let under = document.element_from_point(event.client_x() as f32, event.client_y() as f32)?;
    under.closest("[data-card]").ok()??.get_attribute("data-card")
}

/// The cards; once locked, each with its real place.
#[function_component(Order)]
pub fn order(props: &Props) -> Html {
    let Props { question, lang, lock } = props;
    let ui = lang.ui();
    let order = use_state(|| question.options.iter().map(|(value, _)| value.clone()).collect::<Vec<_>>());
    let held = use_state(|| None::<String>);
    let dragged = use_mut_ref(|| None::<(String, bool)>);
    let list = use_node_ref();
    {
        // A card that moved keeps the focus.
        let (list, held) = (list.clone(), (*held).clone());
        use_effect_with((*order).clone(), move |_| {
            let selector = held.map(|held| format!("[data-card='{held}']"));
            let card = list
                .cast::<Element>()
                .zip(selector)
                .and_then(|(list, selector)| list.query_selector(&selector).ok()?);
            if let Some(card) = card.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
                // A card that cannot take focus leaves it where it was.
                let _ = card.focus();
            }
        });
    }
    if let Some(given) = &question.given {
        return locked(question, given, *lang);
    }
    let tap = |value: &String| {
        let (order, held, dragged, value) = (order.clone(), held.clone(), dragged.clone(), value.clone());
        Callback::from(move |_: web_sys::MouseEvent| {
            // The end of a drag is no tap.
            if dragged.borrow_mut().take().is_some_and(|(_, went)| went) {
                return;
            }
            match &*held {
                None => held.set(Some(value.clone())),
                Some(card) if *card == value => held.set(None),
                Some(card) => {
                    let to = order.iter().position(|it| *it == value).unwrap_or(0);
                    order.set(moved(&order, card, to));
                    held.set(None);
                }
            }
        })
    };
    let keys = |value: &String| {
        let (order, held, list, value) = (order.clone(), held.clone(), list.clone(), value.clone());
        Callback::from(move |event: KeyboardEvent| {
            let down = match event.key().as_str() {
                "ArrowDown" => true,
                "ArrowUp" => false,
                "Escape" if held.is_some() => {
                    event.stop_propagation();
                    return held.set(None);
                }
                _ => return,
            };
            event.prevent_default();
            let at = order.iter().position(|it| *it == value).unwrap_or(0);
            let to = if down { (at + 1).min(order.len().saturating_sub(1)) } else { at.saturating_sub(1) };
            if held.as_ref() == Some(&value) {
                return order.set(moved(&order, &value, to));
            }
            let other = order.get(to).map(|it| format!("[data-card='{it}']"));
            let card = list
                .cast::<Element>()
                .zip(other)
                .and_then(|(list, selector)| list.query_selector(&selector).ok()?);
            if let Some(card) = card.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
                // A card that cannot take focus leaves it where it was.
                let _ = card.focus();
            }
        })
    };
    let take = |value: &String| {
        let (dragged, value) = (dragged.clone(), value.clone());
        Callback::from(move |_: PointerEvent| *dragged.borrow_mut() = Some((value.clone(), false)))
    };
    let onpointermove = {
        let (order, dragged) = (order.clone(), dragged.clone());
        Callback::from(move |event: PointerEvent| {
            let mut dragged = dragged.borrow_mut();
            let Some((card, went)) = dragged.as_mut().filter(|_| event.buttons() > 0) else { return };
            let Some(over) = card_at(&event).filter(|over| over != card) else { return };
            let Some(to) = order.iter().position(|it| *it == over) else { return };
            *went = true;
            order.set(moved(&order, card, to));
        })
    };
    let on_lock = {
        let (lock, order) = (lock.clone(), order.clone());
        Callback::from(move |_| lock.emit(order.join(",")))
    };
    let text = |value: &String| {
        question.options.iter().find(|(it, _)| it == value).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    html! {
        <>
            <p class="note">{ui.sort_cards}</p>
            <ol class="sort" ref={list.clone()} {onpointermove} aria-labelledby={format!("asks-{}", question.id)}>
                {for order.iter().enumerate().map(|(index, value)| {
                    let is_held = held.as_ref() == Some(value);
                    html! {
                        <li key={value.clone()}><button class={classes!("card", is_held.then_some("is-held"))} data-card={value.clone()}
                            aria-pressed={is_held.to_string()} onclick={tap(value)} onkeydown={keys(value)} onpointerdown={take(value)}>
                            <span class="dot">{index + 1}</span><span>{text(value)}</span>
                            if is_held { <span class="vh">{ui.picked_up}</span> }<span class="grip" aria-hidden="true">{icon(Icon::Menu, "s12")}</span>
                        </button></li>
                    }
                })}
            </ol>
            <button class="btn ghost small lock" onclick={on_lock}>{ui.lock_in}</button>
        </>
    }
}

/// What was answered; beside each card its real place, once that may be known.
fn locked(question: &QuestionView, given: &str, lang: Lang) -> Html {
    let ui = lang.ui();
    let answer: Option<Vec<&str>> = question.answer.as_deref().map(|it| it.split(',').collect());
    let place = |value: &str| answer.as_ref().and_then(|it| it.iter().position(|card| *card == value));
    let cards: Vec<&str> = given.split(',').map(str::trim).collect();
    let right = cards.iter().enumerate().filter(|(index, card)| place(card) == Some(*index)).count();
    html! {
        <>
            <ol class="sort is-locked">
                {for cards.iter().enumerate().map(|(index, card)| {
                    let text = question.options.iter().find(|(it, _)| it == card).map_or(*card, |(_, text)| text.as_str());
                    let real = place(card);
                    html! {
                        <li><div class={classes!("card", real.map(|real| if real == index { "is-right" } else { "is-else" }))} data-card={card.to_string()}>
                            <span class="dot">{index + 1}</span><span>{text.to_owned()}</span>
                            if let Some(real) = real { <span class="real">{if real == index { icon(Icon::Check, "s12") } else { html! { {format!("→ {}", real + 1)} } }}</span> }
                        </div></li>
                    }
                })}
            </ol>
            if answer.is_some() {
                <div class="after"><span>{format!("{} {right}/{}", ui.outcome, cards.len())}{if right == cards.len() { format!(" · {}", ui.right) } else { String::new() }}</span></div>
            }
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_goes_to_its_new_place_and_the_others_close_up() {
        let list: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(moved(&list, "a", 2).concat(), "bca");
        assert_eq!(moved(&list, "c", 0).concat(), "cab");
        assert_eq!(moved(&list, "x", 0).concat(), "abc");
    }
}
