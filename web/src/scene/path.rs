//! A traced path over the picture: one line in the gutters, numbers where it is decided, a packet that travels it once.

use lab::view::path::{PathLine, PathMark};
use web_sys::SvgAnimationElement;
use yew::{AttrValue, Html, Properties, classes, function_component, html, use_effect_with, use_node_ref};

use super::shapes::at;

/// Time for one stretch of the line, in milliseconds, and for all of it.
const STRETCH: usize = 300;
const WHOLE: usize = 2400;

/// The line, its numbers and its packet. `run` changes with every trace, so that the packet sets out again; without
/// `motion` it rests at the end.
pub fn overlay(line: &PathLine, run: u64, motion: bool) -> Html {
    let travelled = corners(&line.travelled);
    let ghost = corners(&line.ghost);
    let blocked = line.marks.iter().any(|mark| mark.blocked);
    html! {
        <g key={format!("path-{run}")} class={classes!("k-path", if blocked { "s-bad" } else { "s-ok" })} data-id="Path">
            if !line.ghost.is_empty() { <path class="path s-ghost" d={ghost}/> }
            <path class="path-case" d={travelled.clone()}/>
            <path class={classes!("path", if blocked { "s-bad" } else { "s-ok" })} d={travelled.clone()}/>
            {packet(line, &travelled, motion)}
            {for line.marks.iter().map(mark)}
        </g>
    }
}

fn packet(line: &PathLine, travelled: &AttrValue, motion: bool) -> Html {
    let Some((x, y)) = line.travelled.last() else { return Html::default() };
    if !motion || line.travelled.len() < 2 {
        return html! { <circle class="pkt" r="5" cx={x.to_string()} cy={y.to_string()}/> };
    }
    let time = (STRETCH * (line.travelled.len() - 1)).min(WHOLE);
    html! { <Packet way={travelled.clone()} {time}/> }
}

#[derive(Clone, PartialEq, Properties)]
struct Travel {
    way: AttrValue,
    /// Milliseconds.
    time: usize,
}

/// The packet sets out when it is drawn, and stays where it arrives.
#[function_component(Packet)]
fn packet_on_its_way(travel: &Travel) -> Html {
    let animation = use_node_ref();
    {
        let animation = animation.clone();
        use_effect_with((), move |()| {
            if let Some(animation) = animation.cast::<SvgAnimationElement>() {
                // A browser without this leaves the packet at the start; the line and the numbers say it all.
                let _ = animation.begin_element();
            }
        });
    }
    html! {
        <circle class="pkt" r="5">
            <animateMotion ref={animation} dur={format!("{}ms", travel.time)} begin="indefinite" fill="freeze"
                path={travel.way.clone()}/>
        </circle>
    }
}

fn mark(mark: &PathMark) -> Html {
    let state = if mark.blocked {
        "s-bad"
    } else if mark.ghost {
        "s-ghost"
    } else {
        "s-ok"
    };
    html! {
        <g class={classes!("hop", state)} transform={at(mark.x, mark.y)}>
            if mark.blocked {
                <rect x="-9" y="-9" width="18" height="18" rx="4"/><text y="4">{"✕"}</text>
            } else {
                <circle r="9"/><text y="4">{mark.number.map(|n| n.to_string()).unwrap_or_default()}</text>
            }
        </g>
    }
}

/// Corners as an SVG path with round joins of at most 6.
pub(super) fn corners(points: &[(i32, i32)]) -> AttrValue {
    let mut d = String::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        let Some(&(px, py)) = index.checked_sub(1).and_then(|before| points.get(before)) else {
            d.push_str(&format!("M{x} {y}"));
            continue;
        };
        match points.get(index + 1) {
            None => d.push_str(&format!("L{x} {y}")),
            Some(&(nx, ny)) => {
                let (ax, ay) = toward((x, y), (px, py));
                let (bx, by) = toward((x, y), (nx, ny));
                d.push_str(&format!("L{ax} {ay}Q{x} {y} {bx} {by}"));
            }
        }
    }
    d.into()
}

/// The point at most 6 away from a corner, on the way to its neighbour.
fn toward(corner: (i32, i32), neighbour: (i32, i32)) -> (i32, i32) {
    let step = |from: i32, to: i32| from + (to - from).clamp(-6, 6);
    (step(corner.0, neighbour.0), step(corner.1, neighbour.1))
}
