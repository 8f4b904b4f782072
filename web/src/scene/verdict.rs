//! What the scheduler says of each node, on the node, while that step is told.

use lab::{
    view::{
        path,
        reason::{Choice, Reason},
        scene::{Rect, Scene},
    },
    words::Lang,
};
use yew::{Html, classes, html};

use super::shapes::at;

const HEIGHT: i32 = 20;

/// A verdict on every node that was looked at; once one is chosen, the thread to it.
pub fn verdicts(reason: &Reason, scene: &Scene, lang: Lang) -> Html {
    match reason {
        Reason::Decided(choice) => tags(choice, scene, lang),
        Reason::Bound(node) => {
            let way = path::thread(scene, &format!("Node/{node}")).unwrap_or_default();
            html! { if !way.is_empty() { <path class="thread run1" pathLength="100" d={super::path::corners(&way)}/> } }
        }
        _ => Html::default(),
    }
}

/// Ids of the nodes that a decision turned down.
pub fn refused(reason: &Reason) -> Vec<String> {
    match reason {
        Reason::Decided(choice) => choice.refused.iter().map(|(node, _)| format!("Node/{node}")).collect(),
        _ => Vec::new(),
    }
}

fn tags(choice: &Choice, scene: &Scene, lang: Lang) -> Html {
    let place = |node: &str| scene.nodes.iter().find(|it| it.name == node).map(|it| it.rect);
    let refused = choice
        .refused
        .iter()
        .filter_map(|(node, words)| Some(tag(place(node)?, "s-no", format!("✕ {}", lang.refusal(words)))));
    let scored = choice.scored.iter().filter_map(|(node, total)| {
        let won = choice.node.as_deref() == Some(node.as_str());
        let words = if won { format!("★ {total}") } else { total.to_string() };
        Some(tag(place(node)?, if won { "s-won" } else { "" }, words))
    });
    let alone = choice.node.as_deref().filter(|_| choice.scored.is_empty());
    let alone = alone.and_then(|node| Some(tag(place(node)?, "s-won", format!("★ {}", lang.ui().one_left))));
    html! { <g class="k-verdicts">{for refused}{for scored}{for alone}</g> }
}

/// A flag on the lower edge of a card, where no label stands.
fn tag(card: Rect, class: &'static str, words: String) -> Html {
    let w = 24
        + 8 * i32::try_from(words.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>())
            .unwrap_or(8);
    html! {
        <g class={classes!("flag", class)} transform={at(card.x + card.w - w - 12, card.y + card.h - HEIGHT / 2)}>
            <rect width={w.to_string()} height={HEIGHT.to_string()}/><text x={(w / 2).to_string()} y="14" class="mid">{words}</text></g>
    }
}
