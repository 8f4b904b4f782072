//! A pod with gates has no columns: which phases it came to, and what holds it there.

use lab::{view::decision::Table, words::Lang};
use yew::{Html, html};

use crate::widget::{Icon, icon};

/// The phases of a pod that the scheduler does not try.
pub(super) fn phases(table: &Table, lang: Lang) -> Html {
    let ui = lang.ui();
    let Some(refusal) = table.pre_filter.as_ref().filter(|_| !table.gates().is_empty()) else {
        return Html::default();
    };
    let gate = |name: &&str| {
        html! { <li><span class="v s-gate">{icon(Icon::Pause, "")}<span class="note">{ui.gate}</span><b class="mono">{(*name).to_owned()}</b></span></li> }
    };
    let later = |glyph: Icon, name: &'static str| {
        html! {
            <tr class="fold"><th scope="row">{icon(glyph, "")}{" "}{name}</th>
                <td class="stop"><span class="z">{"– "}{ui.not_come_to}</span></td></tr>
        }
    };
    html! {
        <table class="decision is-gated">
            <tbody>
                <tr class="grp"><th scope="rowgroup" colspan="2">{icon(Icon::Door, "")}{" "}{ui.pre_enqueue}</th></tr>
                <tr><th scope="row" aria-label={refusal.plugin}><span>{super::humps(refusal.plugin)}</span><small>{lang.question(refusal.plugin)}</small></th>
                    <td><ul class="gates">{for table.gates().iter().map(gate)}</ul></td></tr>
                {later(Icon::Funnel, ui.filters)}
                {later(Icon::Star, ui.scores)}
            </tbody>
        </table>
    }
}
