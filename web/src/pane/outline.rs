//! The scene's text twin: a tree for readers and keyboards, hidden from sight. Moving in it moves the selection.

use lab::{view::outline::Item, words::Lang};
use web_sys::KeyboardEvent;
use yew::{Callback, Html, Properties, function_component, html};

use crate::app::Action;

/// What the tree is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Its lines.
    pub items: Vec<Item>,
    /// Id of the selection.
    pub selected: Option<String>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// Where the arrow keys lead from `at`: in, out, before, after.
fn next(items: &[Item], at: usize, key: &str) -> Option<usize> {
    let level = items.get(at)?.level;
    match key {
        "ArrowDown" => items.get(at + 1).filter(|next| next.level > level).map(|_| at + 1),
        "ArrowUp" => items[..at].iter().rposition(|item| item.level < level),
        "ArrowRight" => {
            let rest = &items[at + 1..];
            let end = rest.iter().position(|item| item.level < level).unwrap_or(rest.len());
            rest[..end].iter().position(|item| item.level == level).map(|found| at + 1 + found)
        }
        "ArrowLeft" => {
            let start = items[..at].iter().rposition(|item| item.level < level).map_or(0, |found| found + 1);
            items[start..at].iter().rposition(|item| item.level == level).map(|found| start + found)
        }
        "Home" => Some(0),
        "End" => items.len().checked_sub(1),
        _ => None,
    }
}

/// The tree.
#[function_component(Outline)]
pub fn outline(props: &Props) -> Html {
    let Props { items, selected, lang, send } = props;
    let at = items.iter().position(|item| Some(&item.id) == selected.as_ref()).unwrap_or(0);
    let onkeydown = {
        let (items, send) = (items.clone(), send.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.key().starts_with("Arrow") {
                // Also where no way leads on: an arrow in the tree is no step in time.
                event.prevent_default();
            }
            if event.key() == "Enter" {
                event.prevent_default();
                send.emit(Action::Inspect);
            } else if let Some(to) = next(&items, at, &event.key()) {
                event.prevent_default();
                event.stop_propagation();
                send.emit(Action::Select(Some(items[to].id.clone())));
            }
        })
    };
    let active = items.get(at).map(|_| format!("item-{at}"));
    html! {
        <ul class="outline" role="tree" tabindex="0" id="outline" aria-label={lang.ui().outline}
            aria-activedescendant={active} {onkeydown}>
            {for items.iter().enumerate().map(|(index, item)| html! {
                <li role="treeitem" id={format!("item-{index}")} aria-level={item.level.to_string()}
                    aria-selected={(index == at && selected.is_some()).to_string()}>{lang.entry(&item.entry)}</li>
            })}
        </ul>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::view::outline::Entry;

    #[test]
    fn arrows_lead_in_out_and_to_siblings() {
        let item = |level: u8| Item { id: level.to_string(), level, entry: Entry::Zone(String::new()) };
        let items: Vec<Item> = [1, 2, 3, 3, 2].map(item).into();
        assert_eq!(next(&items, 0, "ArrowDown"), Some(1));
        assert_eq!(next(&items, 1, "ArrowRight"), Some(4));
        assert_eq!(next(&items, 4, "ArrowLeft"), Some(1));
        assert_eq!(next(&items, 3, "ArrowUp"), Some(1));
        assert_eq!(next(&items, 3, "ArrowRight"), None);
    }
}
