//! The timeline: five lanes, and the head that one can drag.

use api::SimTime;
use lab::{
    view::timeline::{Lane, Timeline},
    words::Lang,
};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlSelectElement, KeyboardEvent, PointerEvent};
use yew::{
    Callback, Html, Properties, classes, function_component, html, use_effect, use_mut_ref, use_node_ref,
    use_state,
};

use super::feed::clock;
use crate::{
    app::{Action, on, target},
    widget::{Icon, icon},
};

/// What the timeline is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Lanes.
    pub view: Timeline,
    /// The moment that is seen.
    pub at: SimTime,
    /// Whether something is being told.
    pub playing: bool,
    /// Whether a story waits for the next step.
    pub waits: bool,
    /// How fast.
    pub speed: f64,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// Width of a letter of a command's name.
const LETTER: f64 = 6.0;

/// A command's name as far as there is room.
fn cut(name: &str, letters: usize) -> String {
    match name.chars().count() {
        all if all <= letters => name.to_owned(),
        _ => name.chars().take(letters - 1).chain(['…']).collect(),
    }
}

/// Width of the drawing before its box is measured, in CSS pixels.
const USUAL: f64 = 1224.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 40.0;

/// The last request that was there at a moment.
fn asked_by(asked: &[(SimTime, u64)], at: SimTime) -> Option<u64> {
    asked.iter().rev().find(|(asked, _)| *asked <= at).map(|(_, seq)| *seq)
}

/// The timeline.
#[function_component(Time)]
pub fn time(props: &Props) -> Html {
    let Props { view, at, playing, waits, speed, lang, send } = props;
    let ui = lang.ui();
    let drawn = use_node_ref();
    let measured = use_state(|| USUAL);
    let width = *measured;
    {
        // Drawn as wide as it is, so that no letter is squeezed.
        let drawn = drawn.clone();
        use_effect(move || {
            let real = drawn.cast::<Element>().map_or(0.0, |svg| svg.get_bounding_client_rect().width());
            if real > LEFT + RIGHT && (real - width).abs() > 1.0 {
                measured.set(real);
            }
        });
    }
    let (from, to) = (view.from.0 as f64, view.to.0.max(1) as f64);
    let x = move |t: SimTime| LEFT + (t.0 as f64 - from) / (to - from) * (width - LEFT - RIGHT);
    let y = |lane: Lane| 22.0 + f64::from(lane as i32) * 14.0 + 7.0;
    let on_mark = {
        let send = send.clone();
        move |seq: u64| {
            send.emit(Action::Select(Some(format!("Request/{seq}"))));
            send.emit(Action::Inspect);
        }
    };
    let held = use_mut_ref(|| false);
    let scrub = {
        let send = send.clone();
        move |event: &PointerEvent| {
            let Some(svg) = event.current_target().and_then(|t| t.dyn_into::<Element>().ok()) else { return };
            let bounds = svg.get_bounding_client_rect();
            let part = (f64::from(event.client_x()) - bounds.left()) / bounds.width().max(1.0) * width;
            let t = ((part - LEFT) / (width - LEFT - RIGHT)).clamp(0.0, 1.0) * (to - from) + from;
            send.emit(Action::Seek(SimTime(t.max(0.0) as u64)));
        }
    };
    let onpointerdown = {
        let (held, scrub) = (held.clone(), scrub.clone());
        Callback::from(move |event: PointerEvent| {
            *held.borrow_mut() = true;
            scrub(&event);
        })
    };
    let onpointermove = {
        let held = held.clone();
        Callback::from(move |event: PointerEvent| {
            if event.buttons() == 0 {
                *held.borrow_mut() = false;
            } else if *held.borrow() {
                scrub(&event);
            }
        })
    };
    let onkeydown = {
        let (send, asked, at, open) = (send.clone(), view.asked.clone(), *at, on_mark.clone());
        Callback::from(move |event: KeyboardEvent| {
            let action = match event.key().as_str() {
                "ArrowRight" | "." => Action::Step(true),
                "ArrowLeft" | "," => Action::Step(false),
                "Home" => Action::Seek(SimTime::ZERO),
                "End" => Action::Seek(SimTime(u64::MAX)),
                "Enter" => match asked_by(&asked, at) {
                    Some(seq) => {
                        event.prevent_default();
                        return open(seq);
                    }
                    None => return,
                },
                _ => return,
            };
            event.prevent_default();
            send.emit(action);
        })
    };
    let on_speed = {
        let send = send.clone();
        Callback::from(move |event: web_sys::Event| {
            let value = target::<HtmlSelectElement>(&event).and_then(|s| s.value().parse::<f64>().ok());
            if let Some(value) = value {
                send.emit(Action::Speed(value));
            }
        })
    };
    let names = [
        (Lane::Command, ui.lane_command),
        (Lane::Api, "API"),
        (Lane::Scheduler, ui.lane_scheduler),
        (Lane::Node, ui.lane_node),
        (Lane::Ec2, "EC2"),
    ];
    let step: usize = match (to - from) / 1000.0 {
        s if s > 1200.0 => 300,
        s if s > 300.0 => 60,
        s if s > 40.0 => 10,
        _ => 5,
    };
    let seconds = ((from / 1000.0 / step as f64).ceil() as u64 * step as u64..=(to / 1000.0) as u64)
        .step_by(step)
        .map(|s| SimTime(s * 1000));
    let last = view.commands.last().map(|c| c.0).filter(|c| *c <= *at);
    let head = x((*at).max(view.from));
    let behind = *at < view.head;
    html! {
        <section class="pane time" aria-label={ui.timeline} id="timeline">
            <div class="ctl">
                <div class="r">
                    <button class="tool" aria-label={ui.previous_event} onclick={on(send, || Action::Step(false))}>{icon(Icon::Prev, "")}</button>
                    <button class="tool play" aria-label={if *playing { ui.pause } else { ui.play }}
                        onclick={on(send, || Action::PlayPause)}>{icon(if *playing { Icon::Pause } else { Icon::Play }, "")}</button>
                    <button class="tool" aria-label={ui.next_event} onclick={on(send, || Action::Step(true))}>{icon(Icon::Next, "")}</button>
                    <select class="tool spd box" aria-label={ui.speed} onchange={on_speed}>
                        <option value="0" selected={*speed <= 0.0}>{ui.step_by_step}</option>
                        {for [0.25, 0.5, 1.0, 2.0, 5.0, 20.0].into_iter().map(|s: f64| html! {
                            <option value={s.to_string()} selected={(s - speed).abs() < 0.01}>{format!("{s}×")}</option>
                        })}
                    </select>
                </div>
                <div class="now"><b>{clock(*at)}</b>{" / "}{if behind { clock(view.head) } else { ui.now.to_owned() }}
                    if !playing && !waits && !behind { {" · "}{ui.quiet} }</div>
            </div>
            <svg class="tl" viewBox={format!("0 0 {width} 96")} ref={drawn} role="slider" tabindex="0"
                aria-label={ui.timeline} aria-valuemin="0" aria-valuemax={(view.head.0 / 1000).to_string()}
                aria-valuenow={(at.0 / 1000).to_string()} aria-valuetext={clock(*at)} {onpointerdown} {onpointermove} {onkeydown}>
                if let Some(last) = last {
                    <rect class="win" x={x(last).to_string()} y="18" width={(head - x(last)).max(0.0).to_string()} height="74"/>
                }
                {for seconds.map(|t| html! {
                    <><text class="ax mid" x={x(t).to_string()} y="13">{clock(t)}</text>
                    <path class="lane" d={format!("M{} 18V92", x(t))}/></>
                })}
                {for names.iter().map(|(lane, name)| html! {
                    <><text class="end" x="52" y={(y(*lane) + 4.0).to_string()}>{*name}</text>
                    <path class="lane" d={format!("M{LEFT} {}H{}", y(*lane), width - RIGHT)}/></>
                })}
                {for view.bars.iter().map(|bar| {
                    let w = (x(bar.to) - x(bar.from)).max(3.0);
                    let secs = bar.to.since(bar.from).0.div_ceil(1000);
                    html! {
                        <><rect class="bar" rx="3" x={x(bar.from).to_string()} y={(y(bar.lane) - 5.5).to_string()}
                            width={w.to_string()} height="11"/>
                        if w > 70.0 { <text class="bart" x={(x(bar.from) + 5.0).to_string()} y={(y(bar.lane) + 3.5).to_string()}>
                            {lang.wait(&bar.wait, secs)}</text> }</>
                    }
                })}
                {for view.marks.iter().map(|mark| html! {
                    <rect class={classes!("tick", match mark.lane {
                        Lane::Scheduler => "sched", Lane::Node => "cni", Lane::Command | Lane::Api | Lane::Ec2 => "api" },
                        mark.bad.then_some("bad"))} rx="1" x={(x(mark.at) - 1.0).to_string()}
                        y={(y(mark.lane) - 4.0).to_string()} width="2" height="8"/>
                })}
                {for view.asked.iter().map(|(at, seq)| {
                    let (seq, open) = (*seq, on_mark.clone());
                    let onclick = Callback::from(move |_: web_sys::MouseEvent| open(seq));
                    html! {
                        <rect key={seq} class="hit" rx="2" x={(x(*at) - 5.0).to_string()} y={(y(Lane::Api) - 7.0).to_string()} width="10" height="14"
                            {onclick} onpointerdown={Callback::from(|event: PointerEvent| event.stop_propagation())}>
                            <title>{format!("{} · {}", ui.request, clock(*at))}</title></rect>
                    }
                })}
                {for view.commands.iter().enumerate().map(|(index, (t, name))| {
                    let letters = view.commands.get(index + 1).map_or(24, |next| ((x(next.0) - x(*t) - 16.0) / LETTER).max(0.0) as usize);
                    html! {
                        <><rect class="tick cmd" rx="2" x={(x(*t) - 4.0).to_string()} y={(y(Lane::Command) - 5.0).to_string()}
                            width="8" height="10"/>
                        if letters >= 8 { <text class="ax cmdt" x={(x(*t) + 9.0).to_string()} y={(y(Lane::Command) + 3.5).to_string()}>{cut(name, letters)}</text> }</>
                    }
                })}
                <path class="head" d={format!("M{head} 16V94")}/>
                <rect class="headk" rx="4" x={(head - 20.0).to_string()} y="2" width="40" height="15"/>
                <text class="headt mid" x={head.to_string()} y="13">{clock(*at)}</text>
            </svg>
        </section>
    }
}
