//! The room in which the picture hangs: fit, zoom, drag, click.
//!
//! Between 97 % and 103 % the picture stays at exactly 100 %, so that hairlines stay sharp.

use std::rc::Rc;

use lab::{
    view::scene::{NetworkKind, Rect, Scene},
    words::Lang,
};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, MouseEvent, PointerEvent, WheelEvent};
use yew::{
    AttrValue, Callback, Html, Properties, classes, function_component, html, use_effect_with, use_mut_ref,
    use_node_ref, use_state,
};

use super::Picture;
use crate::{
    app::Zoom,
    widget::{Icon, icon},
};

/// What hangs here.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The picture.
    pub scene: Rc<Scene>,
    /// In which language.
    pub lang: Lang,
    /// Id of the selection.
    pub selected: Option<String>,
    /// Hears of a click on a thing, or on nothing.
    pub on_select: Callback<Option<String>>,
    /// Ids of what just changed.
    #[prop_or_default]
    pub changed: Rc<Vec<String>>,
    /// Where things stand that are being counted.
    #[prop_or_default]
    pub counted: Rc<Vec<Rect>>,
    /// Ids of nodes that the scheduler has just turned down.
    #[prop_or_default]
    pub dimmed: Rc<Vec<String>>,
    /// How far the last request came.
    #[prop_or_default]
    pub stages: u8,
    /// Whether it was refused at the next of them.
    #[prop_or_default]
    pub refused: bool,
    /// Ids on a path that is looked at.
    #[prop_or_default]
    pub lit: Rc<Vec<String>>,
    /// From the scheduler to the node that has no room.
    #[prop_or_default]
    pub thread: Rc<Vec<(i32, i32)>>,
    /// How the page last asked to look at it, and the number of that.
    #[prop_or((0, Zoom::Fit))]
    pub zoom: (u32, Zoom),
    /// Whether it has no controls, because fingers zoom.
    #[prop_or_default]
    pub bare: bool,
    /// What lies over the picture.
    #[prop_or_default]
    pub overlay: Html,
    /// What stands beside it: captions, an empty sandbox's offer.
    #[prop_or_default]
    pub children: Html,
}

/// How the picture is looked at.
#[derive(Clone, Copy, PartialEq)]
struct View {
    /// Factor over the fitting size.
    zoom: f64,
    /// How far it was dragged, in its own pixels.
    dx: f64,
    dy: f64,
}

const WHOLE: View = View { zoom: 1.0, dx: 0.0, dy: 0.0 };
const ZOOM_STEP: f64 = 1.25;

/// The size at which a picture fits into a room.
fn fitting(room: (f64, f64), scene: &Scene) -> f64 {
    let (w, h) = (f64::from(scene.w.max(1)), f64::from(scene.h.max(1)));
    let scale = (room.0 / w).min(room.1 / h);
    if (0.97..=1.03).contains(&scale) { 1.0 } else { scale.min(1.25) }
}

/// Where the controls stand, so that they cover nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// There are none.
    Nowhere,
    /// In the network's header, which is tall enough at full size.
    Header,
    /// In a row below the picture.
    Below,
    /// In a column to the right of it.
    Beside,
}

/// What the controls take from the room, below the picture or beside it.
const ROW: f64 = 48.0;
const COLUMN: f64 = 40.0;

/// Where the controls leave the picture largest, and how much of the room is left for it.
fn placed(room: (f64, f64), scene: &Scene, bare: bool) -> (Place, (f64, f64)) {
    let header = scene.networks.first().is_some_and(|it| it.kind == NetworkKind::Vpc)
        && scene.control_plane.as_ref().is_some_and(|it| it.rect.w > 0);
    let (below, beside) = ((room.0, room.1 - ROW), (room.0 - COLUMN, room.1));
    match () {
        () if bare => (Place::Nowhere, room),
        () if header && fitting(room, scene) >= SHARP => (Place::Header, room),
        () if fitting(beside, scene) > fitting(below, scene) => (Place::Beside, beside),
        () => (Place::Below, below),
    }
}

/// The part of the picture's plane that the room shows, of which some is kept for the picture.
fn view_box(room: (f64, f64), kept: (f64, f64), scene: &Scene, view: View) -> (AttrValue, f64) {
    let scale = fitting(kept, scene) * view.zoom;
    let (w, h) = (room.0 / scale, room.1 / scale);
    let x = (f64::from(scene.w) - kept.0 / scale) / 2.0 - view.dx;
    let y = (f64::from(scene.h) - kept.1 / scale) / 2.0 - view.dy;
    // Whole pixels, so that a centred picture is not blurred.
    let (x, y) = if (scale - 1.0).abs() < f64::EPSILON { (x.round(), y.round()) } else { (x, y) };
    (format!("{x} {y} {w} {h}").into(), scale)
}

/// From this size on everything can be read.
const SHARP: f64 = 0.85;

/// What can still be told apart at this size; the layout does not depend on it.
fn level_of_detail(scale: f64) -> &'static str {
    match scale {
        s if s >= SHARP => "slots",
        s if s >= 0.5 => "bars",
        _ => "tiles",
    }
}

/// Room that the label in the network's header takes.
const HEADER_LABEL: i32 = 148;

/// The controls in the network's header, in pixels of the room: what stands left, from its left; what stands right, from its
/// right; from its top. Nothing where they do not stand there, or the picture was moved.
fn in_header(
    room: (f64, f64),
    place: Place,
    scene: &Scene,
    scale: f64,
    view: View,
) -> Option<(f64, f64, f64)> {
    let header = scene.networks.first().filter(|_| place == Place::Header && view == WHOLE)?;
    let left = (room.0 - f64::from(scene.w) * scale) / 2.0;
    let top = (room.1 - f64::from(scene.h) * scale) / 2.0;
    let right = room.0 - left - f64::from(header.rect.x + header.rect.w) * scale;
    let top = top + f64::from(header.rect.y) * scale + 4.0;
    Some((left + f64::from(header.rect.x + HEADER_LABEL) * scale, right + 12.0, top))
}

/// The room and its controls.
#[function_component(Stage)]
pub fn stage(props: &Props) -> Html {
    let ui = props.lang.ui();
    let (stage_ref, room_ref) = (use_node_ref(), use_node_ref());
    let room = use_state(|| (778.0, 581.0));
    let view = use_state(|| WHOLE);
    let drag = use_mut_ref(|| None::<(f64, f64, View, bool)>);
    {
        let (room, room_ref) = (room.clone(), room_ref.clone());
        use_effect_with((), move |()| {
            let element = room_ref.cast::<HtmlElement>();
            let watched = element.clone();
            let measure = Closure::<dyn FnMut()>::new(move || {
                if let Some(element) = &watched {
                    room.set((
                        f64::from(element.client_width().max(1)),
                        f64::from(element.client_height().max(1)),
                    ));
                }
            });
            let observer = web_sys::ResizeObserver::new(measure.as_ref().unchecked_ref()).ok();
            if let (Some(observer), Some(element)) = (&observer, &element) {
                observer.observe(element);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(measure);
            }
        });
    }
    {
        let (view, room) = (view.clone(), *room);
        let full = 1.0 / fitting(placed(room, &props.scene, props.bare).1, &props.scene);
        // What was asked before the picture was hung here is done with.
        let done = use_mut_ref(|| props.zoom.0);
        use_effect_with(props.zoom, move |(number, zoom)| {
            let to = match zoom {
                _ if done.replace(*number) == *number => return,
                Zoom::Fit => WHOLE,
                Zoom::Full => View { zoom: full, ..*view },
                Zoom::In => View { zoom: (view.zoom * ZOOM_STEP).min(8.0), ..*view },
                Zoom::Out => View { zoom: (view.zoom / ZOOM_STEP).max(0.2), ..*view },
            };
            view.set(to);
        });
    }
    let (place, kept) = placed(*room, &props.scene, props.bare);
    let (bounds, scale) = view_box(*room, kept, &props.scene, *view);
    {
        // The page's policy allows no style attributes; places that are known only now are set from here.
        let (stage_ref, place) = (stage_ref.clone(), in_header(*room, place, &props.scene, scale, *view));
        use_effect_with(
            place.map(|(left, right, top)| (left as i32, right as i32, top as i32)),
            move |place| {
                if let Some(stage) = stage_ref.cast::<HtmlElement>() {
                    let style = stage.style();
                    let pixels = |value: i32| format!("{value}px");
                    let set = [
                        ("--bar-left", place.map(|p| pixels(p.0))),
                        ("--bar-right", place.map(|p| pixels(p.1))),
                        ("--bar-top", place.map(|p| pixels(p.2))),
                        ("--bar-bottom", place.map(|_| "auto".to_owned())),
                    ];
                    for (name, value) in set {
                        // Where it cannot be set the controls stay in their corner.
                        let _ = style.set_property(name, value.as_deref().unwrap_or(""));
                    }
                }
            },
        );
    }
    let zoom = |factor: f64| {
        let view = view.clone();
        Callback::from(move |_: MouseEvent| {
            let zoom = (view.zoom * factor).clamp(0.2, 8.0);
            view.set(View { zoom, ..*view });
        })
    };
    let fit = {
        let view = view.clone();
        Callback::from(move |_: MouseEvent| view.set(WHOLE))
    };
    let onwheel = {
        let view = view.clone();
        Callback::from(move |event: WheelEvent| {
            if event.ctrl_key() || event.meta_key() {
                event.prevent_default();
                let factor = if event.delta_y() < 0.0 { 1.1 } else { 1.0 / 1.1 };
                view.set(View { zoom: (view.zoom * factor).clamp(0.2, 8.0), ..*view });
            }
        })
    };
    let onpointerdown = {
        let (drag, view) = (drag.clone(), view.clone());
        Callback::from(move |event: PointerEvent| {
            *drag.borrow_mut() =
                Some((f64::from(event.client_x()), f64::from(event.client_y()), *view, false));
        })
    };
    let onpointermove = {
        let (drag, view) = (drag.clone(), view.clone());
        Callback::from(move |event: PointerEvent| {
            let mut held = drag.borrow_mut();
            let Some((x, y, from, moved)) = held.as_mut() else { return };
            if event.buttons() == 0 {
                *held = None;
                return;
            }
            let (dx, dy) = (f64::from(event.client_x()) - *x, f64::from(event.client_y()) - *y);
            if *moved || dx.hypot(dy) > 4.0 {
                *moved = true;
                view.set(View { dx: from.dx + dx / scale, dy: from.dy + dy / scale, ..*from });
            }
        })
    };
    let onclick = {
        let (drag, on_select) = (drag.clone(), props.on_select.clone());
        Callback::from(move |event: MouseEvent| {
            let dragged = drag.borrow_mut().take().is_some_and(|held| held.3);
            if dragged {
                return;
            }
            let hit = event.target().and_then(|t| t.dyn_into::<Element>().ok());
            let id = hit
                .and_then(|e| e.closest("[data-id]").ok().flatten())
                .and_then(|e| e.get_attribute("data-id"));
            on_select.emit(id);
        })
    };
    html! {
        <section class={classes!("stage", (place == Place::Beside).then_some("is-beside"))} aria-label={ui.scene} ref={stage_ref}>
            <div class="room" ref={room_ref}>
                <svg class="scene" viewBox={bounds} preserveAspectRatio="xMidYMid meet" role="img" aria-label={ui.scene}
                    data-lod={level_of_detail(scale)}
                    {onwheel} {onpointerdown} {onpointermove} {onclick}>
                    <rect class="ground" x="-4000" y="-4000" width="9000" height="9000"/>
                    <Picture scene={props.scene.clone()} lang={props.lang} selected={props.selected.clone()}
                        changed={props.changed.clone()} counted={props.counted.clone()} dimmed={props.dimmed.clone()} stages={props.stages} refused={props.refused}
                        lit={props.lit.clone()} thread={props.thread.clone()} overlay={props.overlay.clone()}/>
                </svg>
                <div class="floats zoomf" role="group" aria-label={ui.scene}>
                    <button onclick={fit} title="0">{icon(Icon::Fit, "")}<span class="fit">{ui.fit}</span></button>
                    <button onclick={zoom(1.0 / ZOOM_STEP)} aria-label={ui.zoom_out}>{icon(Icon::Minus, "")}</button>
                    <span class="mono">{format!("{:.0}%", scale * 100.0)}</span>
                    <button onclick={zoom(ZOOM_STEP)} aria-label={ui.zoom_in}>{icon(Icon::Plus, "")}</button>
                </div>
            </div>
            {props.children.clone()}
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_become_bars_and_bars_become_tiles() {
        assert_eq!([1.0, 0.7, 0.3].map(level_of_detail), ["slots", "bars", "tiles"]);
    }

    #[test]
    fn controls_stand_where_the_picture_stays_largest_and_cover_none_of_it() {
        let (wide, tall) =
            (Scene { w: 1000, h: 500, ..Scene::default() }, Scene { w: 500, h: 1000, ..Scene::default() });
        assert_eq!(placed((750.0, 580.0), &wide, false), (Place::Below, (750.0, 532.0)));
        assert_eq!(placed((750.0, 580.0), &tall, false), (Place::Beside, (710.0, 580.0)));
        assert_eq!(placed((750.0, 580.0), &tall, true).0, Place::Nowhere);
    }

    #[test]
    fn a_picture_that_nearly_fits_stays_at_its_own_size() {
        let scene = Scene { w: 778, h: 581, ..Scene::default() };
        assert!((fitting((790.0, 600.0), &scene) - 1.0).abs() < 1e-9);
        assert!((fitting((389.0, 600.0), &scene) - 0.5).abs() < 1e-9);
    }
}
