//! The lab: lesson, scene, inspector, work, time. Every pane has a place in one grid.

use std::rc::Rc;

use lab::{
    lesson::progress::Standing,
    link::LinkError,
    view::{self, feed::Tone, path, scene::Scene},
    words::fill,
};
use yew::{Callback, Html, classes, html};

use super::phone;
use crate::{
    app::{Action, App, Pane, Tab, Width, Work, on},
    pane::{
        decision::Decision, editor::Editor, feed, inspector::Inspector, lesson, lesson::Lesson,
        outline::Outline, terminal::Terminal, timeline::Time, top,
    },
    scene::{Stage, path::overlay},
    widget::{Icon, icon},
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
        app.hides(Pane::Work).then_some("no-work")
    );
    html! {
        <main {class}>
            {top::top(app, send)}
            if let Some(view) = lesson.filter(|_| !hide_lesson) {
                if app.width == Width::Tablet { <section class="strip" aria-label={app.ui().lesson}>{lesson::goals(&view, app.settings.lang)}</section> }
                else { <Lesson {view} hints={app.hints} lang={app.settings.lang} send={send.clone()}/> }
            }
            if let Some(table) = decision(app).filter(|_| app.decision) {
                <Decision {table} lang={app.settings.lang} send={send.clone()}/>
            } else {
                {stage(app, &scene, send)}
            }
            if !app.hides(Pane::Inspector) { {inspector(app, send)} }
            if !app.hides(Pane::Work) { {work(app, send)} }
            {time(app, send)}
            <Outline items={view::outline::outline(&scene)} selected={app.selected.clone()} lang={app.settings.lang} send={send.clone()}/>
            {notices(app, send)}
        </main>
    }
}

/// The lesson and how far one is.
pub fn lesson_view(app: &App) -> Option<view::lesson::LessonView> {
    let book = app.desk.book()?;
    let progress = app.desk.session().progress()?;
    Some(view::lesson::lesson(book, progress, app.settings.lang))
}

/// The decision about the selected pod; without one, the newest.
pub fn decision(app: &App) -> Option<view::decision::Table> {
    app.desk.decision(app.selected.as_deref())
}

/// The room with the picture.
pub fn stage(app: &App, scene: &Rc<Scene>, send: &Callback<Action>) -> Html {
    let on_select = send.reform(Action::Select);
    let line = app.desk.path.as_ref().filter(|_| app.tab == Tab::Path).map(|view| path::line(view, scene));
    let over = line.map(|line| overlay(&line, app.desk.paths, !app.settings.calm)).unwrap_or_default();
    let told = app.settings.calm && !app.desk.told.is_empty();
    let changed: Vec<String> =
        if told { app.desk.told.iter().map(|b| b.id.clone()).collect() } else { Vec::new() };
    html! {
        <Stage scene={scene.clone()} lang={app.settings.lang} selected={app.selected.clone()} {on_select}
            overlay={over} stages={app.desk.stages()} changed={Rc::new(changed)}>
            {captions(app)}
            if scene.networks.is_empty() && scene.control_plane.is_none() { {nothing(app, send)} }
        </Stage>
    }
}

/// What is told now; for those who want no motion, all of it as a numbered list.
fn captions(app: &App) -> Html {
    let lang = app.settings.lang;
    if app.settings.calm && !app.desk.told.is_empty() {
        let told = app.desk.told.iter().take(12);
        return html! {
            <ol class="captions" aria-label={app.ui().events}>
                {for told.map(|b| html! { <li>{lang.beat(b.kind)}{" "}<span class="mono">{b.detail.clone()}</span></li> })}
            </ol>
        };
    }
    match &app.desk.beat {
        Some(beat) => {
            html! { <p class="caption"><b>{lang.beat(beat.kind)}</b>{" "}<span class="mono">{beat.detail.clone()}</span></p> }
        }
        None => Html::default(),
    }
}

fn nothing(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    html! {
        <div class="nothing">
            <h2>{ui.nothing_here}</h2><p>{ui.nothing_here_text}</p>
            <div class="offers">
                <button class="btn ghost" onclick={on(send, || Action::Type("kind create cluster".to_owned()))}><code>{"kind create cluster"}</code></button>
                {for lab::library::packed().fixtures.iter().map(|f| html! {
                    <a class="btn ghost" href={crate::route::Route::World(f.name.clone()).hash()}>{f.name.clone()}</a>
                })}
            </div>
        </div>
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
    html! {
        <Inspector selected={app.selected.clone()} tab={app.tab} why={id.and_then(|id| view::why::why(moment, cluster, id, app.desk.decided(Some(id)).as_deref()))}
            {sheet} {yaml} {feed} path={app.desk.path.clone()} decided={app.desk.decided(id).is_some()}
            lang={app.settings.lang} send={send.clone()}/>
    }
}

/// The terminal.
pub fn terminal(app: &App, send: &Callback<Action>) -> Html {
    html! {
        <Terminal entries={app.desk.entries.clone()} history={app.desk.history.clone()} open={!app.desk.open.is_empty()}
            typed={app.typed.clone()} lang={app.settings.lang} send={send.clone()}/>
    }
}

/// The editor.
pub fn editor(app: &App, send: &Callback<Action>) -> Html {
    html! {
        <Editor name={app.file.clone()} text={app.text.clone()} diagnostics={app.diagnostics.clone()}
            lang={app.settings.lang} send={send.clone()}/>
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
        <Time view={app.desk.timeline()} at={app.desk.at} playing={app.desk.playing()} speed={app.desk.speed}
            lang={app.settings.lang} send={send.clone()}/>
    }
}

/// What must be said once: a broken link, blocked storage, a link to copy by hand, the keys.
pub fn notices(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let damage = app.desk.damaged.as_ref().map(|error| {
        let reason = match error {
            LinkError::TooNew { version } => app.settings.lang.pick(
                format!("더 새로운 버전({version})으로 만든 링크입니다."),
                format!("It was made by a newer version ({version})."),
            ),
            LinkError::Damaged { good } => {
                let lines = good.as_ref().map_or(0, |good| good.lines.len());
                app.settings.lang.pick(
                    format!("링크가 손상되었습니다. 읽을 수 있는 명령 {lines}개까지 열었습니다."),
                    format!("It is damaged; the {lines} commands that could be read are here."),
                )
            }
        };
        format!("{}: {reason}", ui.broken_link)
    });
    html! {
        <div class="notices">
            if let Some(damage) = damage { <p class="notice" role="alert">{icon(Icon::Bang, "")}{damage}</p> }
            if !app.settings.storage { <p class="notice" role="alert">{icon(Icon::Bang, "")}{ui.storage_blocked}</p> }
            if let Some(link) = &app.link {
                <p class="notice">{icon(Icon::Share, "")}<label>{if app.said == ui.copied { ui.copied } else { ui.copy_by_hand }}
                    <input readonly=true class="share-link" value={link.clone()} aria-label={ui.share}/></label></p>
            }
            if app.keys {
                <div class="notice keys" role="dialog" aria-label={ui.keys_title}>
                    <b>{ui.keys_title}</b><p>{ui.keys_text}</p>
                    <button class="tool box" onclick={on(send, || Action::Keys(false))}>{ui.close}</button>
                </div>
            }
        </div>
    }
}

/// Goals met, as `2/3`.
pub fn score(view: &view::lesson::LessonView) -> String {
    let met = view.goals.iter().filter(|g| g.standing == Standing::Met).count();
    fill(&format!("{{}}/{}", view.goals.len()), met)
}
