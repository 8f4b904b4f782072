//! The lab: lesson, scene, inspector, work, time. Every pane has a place in one grid.

use std::rc::Rc;

use cluster::import::outlook::Change;
use lab::{
    lesson::progress::Standing,
    view::{
        self,
        beats::BeatKind,
        feed::Tone,
        path,
        pod::PodState,
        scene::{Rect, Scene, Seat, as_told, with_outside},
        why::Why,
    },
    words::fill,
};
use yew::{Callback, Html, classes, html};

use super::{phone, story::Story};
use crate::{
    app::{Action, App, Pane, Tab, Width, Work, import, on},
    pane::{
        decision::Decision,
        editor::Editor,
        feed,
        inspector::Inspector,
        lesson,
        lesson::Lesson,
        matrix::Seen,
        notices::notices,
        outline::Outline,
        terminal::{Completer, Terminal},
        timeline::Time,
        top,
        what_if::{Asked, WhatIf},
    },
    scene::{Stage, path::overlay, verdict},
    widget::{Divider, Icon, icon},
};

/// The lab.
pub fn lab(app: &App, send: &Callback<Action>) -> Html {
    if app.width == Width::Phone {
        return phone::phone(app, send);
    }
    let scene = app.scene();
    let lesson = lesson_view(app);
    let hide_lesson = lesson.is_none() || app.hides(Pane::Lesson);
    let class = classes!(
        "lab",
        hide_lesson.then_some("no-lesson"),
        app.hides(Pane::Inspector).then_some("no-inspect"),
        app.hides(Pane::Work).then_some("no-work"),
        (app.work == Work::Editor).then_some("is-editing")
    );
    html! {
        <main {class} ondragover={|event: yew::DragEvent| import::hovers(&event)} ondragleave={|event: yew::DragEvent| import::left(&event)} ondrop={import::dropped(send)}>
            {top::top(app, send)}
            if let Some(view) = lesson.filter(|_| !hide_lesson) {
                if app.width == Width::Tablet { <section class="strip" aria-label={app.ui().lesson}>{lesson::goals(&view, app.settings.lang)}</section> }
                else { <Lesson {view} hints={app.hints} selected={app.selected.clone()} lang={app.settings.lang} send={send.clone()}/> }
            }
            if let Some(table) = decision(app) {
                {decision_table(app, table, send)}
            } else {
                {stage(app, &scene, send)}
            }
            if !app.hides(Pane::Inspector) { {inspector(app, send)} }
            if !app.hides(Pane::Work) { {work(app, send)} }
            {time(app, send)}
            if app.width == Width::Desk { {dividers(app, hide_lesson, send)} }
            <Outline items={view::outline::outline(&scene)} selected={app.selected.clone()} lang={app.settings.lang} send={send.clone()}/>
            {notices(app, send)}
        </main>
    }
}

/// The lines between the panes that are there.
fn dividers(app: &App, hide_lesson: bool, send: &Callback<Action>) -> Html {
    let panes = [
        (Pane::Lesson, hide_lesson),
        (Pane::Work, app.hides(Pane::Work)),
        (Pane::Inspector, app.hides(Pane::Inspector)),
    ];
    let shown = panes.into_iter().filter(|(_, hidden)| !hidden);
    let tall = app.work == Work::Editor;
    html! { {for shown.map(|(pane, _)| html! { <Divider key={format!("{pane:?}{tall}")} {pane} {tall} lang={app.settings.lang} send={send.clone()}/> })} }
}

/// The lesson and how far one is.
pub fn lesson_view(app: &App) -> Option<view::lesson::LessonView> {
    let book = app.desk.book()?;
    let progress = app.desk.session().progress()?;
    Some(view::lesson::lesson(book, progress, app.desk.ahead(), app.settings.lang))
}

/// While the decision table is open: the decision that was turned to, or that about the selected pod; without one, the newest.
pub fn decision(app: &App) -> Option<view::decision::Table> {
    let fact = app.looked.map(|it| it.fact);
    app.decision.then(|| app.desk.decision(app.selected.as_deref(), fact))?
}

/// The decision's table, and what could be different about it.
pub fn decision_table(app: &App, table: view::decision::Table, send: &Callback<Action>) -> Html {
    let lang = app.settings.lang;
    let asked = Asked::of(&app.desk, &table);
    html! {
        <Decision {table} {lang} send={send.clone()}>
            <WhatIf {asked} tried={app.tried.clone()} {lang} send={send.clone()}/>
        </Decision>
    }
}

/// Where the selection is in the picture: a request is at the API server, and in the end at its store.
fn placed(app: &App) -> Option<String> {
    let id = app.selected.as_deref()?;
    if !id.starts_with("Request/") {
        return Some(id.to_owned());
    }
    let stored = app.desk.beat.as_ref().is_some_and(|beat| beat.kind == BeatKind::Storage);
    Some(if stored { "ControlPlane/etcd" } else { "ControlPlane/api" }.to_owned())
}

/// The room with the picture.
pub fn stage(app: &App, scene: &Rc<Scene>, send: &Callback<Action>) -> Html {
    let on_select = send.reform(Action::Select);
    let looked_at = app.desk.path.as_ref().filter(|_| app.tab == Tab::Path);
    let scene = match looked_at {
        Some(view) => Rc::new(with_outside((**scene).clone(), app.desk.moment(), view)),
        None if app.desk.telling() => {
            Rc::new(as_told((**scene).clone(), &app.desk.told, app.desk.told_so_far().count()))
        }
        None => Rc::clone(scene),
    };
    let line = looked_at.map(|view| path::line(view, &scene)).unwrap_or_default();
    let told_now = app.desk.beat.as_ref().filter(|_| looked_at.is_none()).map(|beat| &beat.reason);
    let dimmed = told_now.map(verdict::refused).unwrap_or_default();
    let over = if line.marks.is_empty() {
        told_now.map(|reason| verdict::verdicts(reason, &scene, app.settings.lang)).unwrap_or_default()
    } else {
        overlay(&line, app.desk.paths, !app.settings.calm)
    };
    // In a story a full node is told like everything else: not before its step.
    let ahead = app.desk.telling() && !app.desk.told_so_far().any(|beat| beat.kind == BeatKind::Misfit);
    let thread = if looked_at.is_some() || ahead { Vec::new() } else { thread(app, &scene) };
    let told = app.settings.calm && !app.desk.stepping && !app.desk.told.is_empty();
    let changed: Vec<String> =
        if told { app.desk.told.iter().map(|b| b.id.clone()).collect() } else { Vec::new() };
    let counted = counted(app, &scene);
    html! {
        <Stage scene={scene.clone()} lang={app.settings.lang} selected={placed(app)} {on_select}
            lit={Rc::new(line.touched)} dimmed={Rc::new(dimmed)} thread={Rc::new(thread)} overlay={over} zoom={app.zoom}
            stages={app.desk.stages()} refused={app.desk.is_refused()}
            changed={Rc::new(changed)} counted={Rc::new(counted)} bare={app.width == Width::Phone}>
            <Story told={app.desk.told.clone()} beat={app.desk.beat.clone()} playing={app.desk.playing()}
                held={app.desk.held()} calm={app.settings.calm} lang={app.settings.lang} send={send.clone()}/>
            if scene.networks.is_empty() && scene.control_plane.is_none() { {nothing(app, send)} }
        </Stage>
    }
}

/// What the term of a formula that is pointed at counts.
fn counted(app: &App, scene: &Scene) -> Vec<Rect> {
    let Some((name, term)) = &app.pointed else { return Vec::new() };
    let id = format!("Node/{name}");
    let node = scene.nodes.iter().find(|it| it.id == id);
    let Some((node, Some(Why::Node(why)))) = node.map(|node| (node, app.desk.why(&id))) else {
        return Vec::new();
    };
    let ids = why.formula.map(|formula| formula.counted(*term, node)).unwrap_or_default();
    ids.iter().filter_map(|id| scene.rect_of(id)).collect()
}

/// From the scheduler to the full node that keeps a pod waiting: the selected pod, or else the oldest at the door.
fn thread(app: &App, scene: &Scene) -> Vec<(i32, i32)> {
    let oldest = || scene.pods.iter().find(|p| p.seat == Seat::Door && p.state == PodState::Pending);
    let id = app.selected.clone().filter(|id| id.starts_with("Pod/"));
    let Some(id) = id.or_else(|| oldest().map(|p| p.id.clone())) else { return Vec::new() };
    let decided = app.desk.decided(Some(&id));
    match view::why::why(app.desk.moment(), app.desk.cluster(), &id, decided.as_deref()) {
        Some(Why::Pod(pod)) => {
            let node = pod.full.map(|(node, _)| format!("Node/{node}"));
            node.and_then(|node| path::thread(scene, &node)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Which future this is, and whether one looks back: a command given then opens another.
pub fn times(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let (name, others) = app.desk.session().branches();
    let head = app.desk.session().head();
    let back = app.desk.at < head && !app.desk.telling();
    let tab = |name: &str, at| html! { <>{icon(Icon::Branch, "s12")}<b>{name.to_owned()}</b><span class="mono">{feed::clock(at)}</span></> };
    html! {
        <div class="times">
            if !others.is_empty() {
                <div class="floats branches" role="group" aria-label={ui.branches}>
                    {for others.iter().enumerate().map(|(index, branch)| html! {
                        <button aria-pressed="false" onclick={on(send, move || Action::Branch(index))}>{tab(&branch.name, branch.head)}</button>
                    })}
                    <button aria-pressed="true" class="is-on">{tab(name, head)}</button>
                </div>
            }
            if app.imagined().is_some() {
                <div class="floats past" role="status"><span>{icon(Icon::Funnel, "s12")}{app.settings.lang.what_if().not_applied}</span>
                    <button onclick={on(send, || Action::Imagine(Change::default()))}>{app.settings.lang.what_if().clear}</button></div>
            }
            if back {
                <div class="floats past" role="status"><span>{icon(Icon::Clock, "s12")}{fill(ui.past, feed::clock(app.desk.at))}</span>
                    <button onclick={on(send, || Action::Seek(api::SimTime(u64::MAX)))}>{ui.back_to_now}</button></div>
            }
        </div>
    }
}

/// Nothing is here yet: three ways to begin, each with a drawing of what comes.
fn nothing(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let lang = app.settings.lang;
    html! {
        <div class="nothing">
            <h2>{ui.nothing_here}</h2><p>{ui.nothing_here_text}</p>
            <div class="offers">
                <button class="offer" onclick={on(send, || Action::Type("kind create cluster".to_owned()))}>
                    {ghost(1)}<b>{ui.offer_kind}</b><code>{"kind create cluster"}</code></button>
                <button class="offer" onclick={on(send, || Action::Work(Work::Editor))}>
                    {ghost(0)}<b>{ui.offer_paste}</b><span class="note">{ui.offer_paste_text}</span></button>
                <label class="offer">{ghost(2)}<b>{ui.offer_import}</b>
                    <span class="note">{ui.offer_import_text}</span>
                    <code>{"kubectl get nodes,pods,svc,deploy -A -o yaml"}</code>
                    <code>{"aws ec2 describe-subnets"}</code><code>{"aws ec2 describe-network-interfaces"}</code>
                    <input type="file" class="vh" multiple=true accept=".yaml,.yml,.json,.txt" onchange={import::chosen(send)}/></label>
                <div class="offer is-list">{ghost(3)}<b>{ui.offer_world}</b>
                    {for lab::library::packed().fixtures.iter().filter(|f| f.name != "empty").map(|f| html! {
                        <a href={crate::route::Route::World(f.name.clone()).hash()}><code>{f.name.clone()}</code>{" "}<span class="note">{lang.world(&f.name)}</span></a>
                    })}
                </div>
            </div>
        </div>
    }
}

/// So many empty cards, or a sheet of paper.
fn ghost(cards: i32) -> Html {
    html! {
        <svg viewBox="0 0 120 56" width="120" height="56" aria-hidden="true" class="ghost">
            if cards == 0 { <path d="M44 6h22l10 10v34H44zM66 6v10h10M50 26h20M54 33h16M54 40h12"/> } else {
                <rect x="2" y="2" width="116" height="52" rx="8"/>
                {for (0..cards).map(|n| {
                    let w = 104 / cards - 4;
                    let x = 10 + n * (w + 4);
                    html! { <><rect x={x.to_string()} y="14" width={w.to_string()} height="32" rx="5"/>
                        <path d={format!("M{} 24h{}M{} 34h{}", x + 6, w - 12, x + 6, (w - 12) / 2)}/></> }
                })}
            }
        </svg>
    }
}

/// The inspector of the selection.
pub fn inspector(app: &App, send: &Callback<Action>) -> Html {
    let moment = app.desk.moment();
    let cluster = app.desk.cluster();
    let id = app.selected.as_deref();
    let sheet = id.and_then(|id| view::inspector::sheet(moment, cluster, id));
    let yaml = sheet
        .as_ref()
        .filter(|_| app.tab == Tab::Yaml)
        .map(|s| view::inspector::yaml(&s.object))
        .unwrap_or_default();
    let feed = id.map(|id| app.desk.feed(Some(id))).unwrap_or_default();
    let request = id.and_then(|id| app.desk.request(id)).map(|view| {
        let told = app.desk.told_of(view.seq);
        (Rc::new(view), told)
    });
    html! {
        <Inspector {request} asked={app.desk.last_request().filter(|_| id == Some("ControlPlane/api"))} selected={app.selected.clone()} tab={app.tab} why={id.and_then(|id| app.desk.why(id))}
            {sheet} {yaml} {feed} path={app.desk.path.clone()} paths={app.desk.paths} ends={if app.tab == Tab::Path { app.desk.ends() } else { Vec::new() }} moment={(app.tab == Tab::Path).then(|| Seen::of(&app.desk))} picking={app.picking} chosen={app.ends.clone()} decided={app.desk.has_decision(id)} term={app.pointed.as_ref().map(|it| it.1)}
            offer={app.offer()} imagined={app.imagined().map(|it| (it.change.clone(), it.found.clone()))}
            lang={app.settings.lang} send={send.clone()}/>
    }
}

/// The terminal.
pub fn terminal(app: &App, send: &Callback<Action>) -> Html {
    html! {
        <Terminal completer={Completer::of(app.desk.session())} entries={app.desk.entries.clone()} history={app.desk.history.clone()} open={!app.desk.open.is_empty()}
            typed={app.typed.clone()} inserted={app.inserted} lang={app.settings.lang} send={send.clone()}/>
    }
}

/// The editor.
pub fn editor(app: &App, send: &Callback<Action>) -> Html {
    html! {
        <Editor editing={app.editing.as_ref().map(|it| it.command.clone())} name={app.file.clone()} files={app.desk.yaml_files().into_iter().map(|(name, _)| name).collect::<Vec<_>>()} text={app.text.clone()} diagnostics={app.diagnostics.clone()} purpose={app.purpose}
            outcome={app.desk.outcome().to_vec()} lang={app.settings.lang} send={send.clone()}/>
    }
}

fn work(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let groups = app.desk.feed(None);
    let all: usize = groups.iter().map(|g| g.events.len()).sum();
    let warnings = groups.iter().flat_map(|g| &g.events).filter(|e| e.tone == Tone::Warning).count();
    let tab = |work: Work, glyph: Icon, name: &'static str, file: Option<String>| {
        html! {
            <button class={classes!("tool", (app.work == work).then_some("is-on"))} role="tab"
                aria-selected={(app.work == work).to_string()} onclick={on(send, move || Action::Work(work))}>
                {icon(glyph, "")}{name}if let Some(file) = file { {" "}<span class="mono dim">{file}</span> }
            </button>
        }
    };
    html! {
        <section class="pane work" aria-label={ui.terminal} id="work">
            <div class="w-tabs" role="tablist">
                {tab(Work::Terminal, Icon::Term, ui.terminal, None)}
                {tab(Work::Editor, Icon::File, ui.editor, Some(app.file.clone()))}
                <span class="grow"/>
                <span class="tool">{ui.events}{" "}<span class="mono">{all}</span></span>
                if warnings > 0 { <span class="chip s-pend">{format!("Warning {warnings}")}</span> }
            </div>
            <div class="w-body">
                if app.work == Work::Editor { {editor(app, send)} } else { {terminal(app, send)} }
                <div class="feed" role="log" aria-label={ui.events} tabindex="0">{feed::feed(&groups, 40, app.settings.lang, send)}</div>
            </div>
        </section>
    }
}

/// The timeline.
pub fn time(app: &App, send: &Callback<Action>) -> Html {
    html! {
        <Time view={app.desk.timeline()} at={app.desk.at} playing={app.desk.playing()} waits={app.desk.held().is_some()} speed={if app.desk.stepping { 0.0 } else { app.desk.speed }}
            lang={app.settings.lang} send={send.clone()}/>
    }
}

/// Goals met, as `2/3`.
pub fn score(view: &view::lesson::LessonView) -> String {
    let met = view.goals.iter().filter(|g| g.standing == Standing::Met).count();
    fill(&format!("{{}}/{}", view.goals.len()), met)
}
