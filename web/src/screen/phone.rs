//! The lab on a phone: the scene above, a sheet of four tabs below. Every input is a real one.

use yew::{Callback, Html, classes, html};

use super::{lab, story::Story};
use crate::{
    app::{Action, App, Sheet, Work, on},
    pane::{diagnosis::Diagnosis, lesson, lesson::Question, notices::notices, outline::Outline, top},
    route::Route,
    widget::{Icon, icon, rich},
};

/// Keys that a phone's keyboard hides.
const SYMBOLS: [&str; 8] = ["-", "/", ".", ":", "=", "|", "_", "'"];

/// The lab on a phone.
pub fn phone(app: &App, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let scene = app.scene();
    let (number, name) = app.desk.title(app.settings.lang);
    let view = lab::lesson_view(app);
    let goals = view.as_ref().map(lab::score).unwrap_or_default();
    let tab = |sheet: Sheet, name: &'static str, more: String| {
        html! {
            <button role="tab" aria-selected={(app.sheet == sheet).to_string()} class={classes!((app.sheet == sheet).then_some("is-on"))}
                onclick={on(send, move || Action::Sheet(sheet))}>{name}if !more.is_empty() { {" "}<span class="mono">{more}</span> }</button>
        }
    };
    let body = match app.sheet {
        Sheet::Goals => {
            html! { <div class="act" tabindex="0">{for view.as_ref().map(|view| goals_tab(app, view, send))}</div> }
        }
        Sheet::Act => act(app, view.as_ref(), send),
        Sheet::Why => lab::inspector(app, send),
        Sheet::Time => html! {
            <div class="act">{lab::time(app, send)}
                <Story told={app.desk.told.clone()} beat={None::<::lab::view::beats::Beat>} playing={false} held={None::<(usize, usize)>} calm={true}
                    lang={app.settings.lang} send={send.clone()}/></div>
        },
    };
    html! {
        <main class="phone">
            <header class="ptop">
                <a class="tap" href={Route::Lessons.hash()} aria-label={ui.lessons}>{icon(Icon::Left, "s20")}</a>
                <b>if let Some(number) = number { <span class="n">{number}</span> }{name}</b>
                <button aria-label={ui.undo} onclick={on(send, || Action::Undo)} disabled={!app.desk.can_undo_redo().0}>{icon(Icon::Undo, "s20")}</button>
                <button aria-label={ui.share} onclick={on(send, || Action::Share)}>{icon(Icon::Share, "s20")}</button>
                {top::switches(app, send)}
            </header>
            if let Some(table) = lab::decision(app) {
                {lab::decision_table(app, table, send)}
            }
            {lab::stage(app, &scene, send)}
            {lab::times(app, send)}
            <div class="scrub">
                <button aria-label={if app.desk.playing() { ui.pause } else { ui.play }} onclick={on(send, || Action::PlayPause)}>
                    {icon(if app.desk.playing() { Icon::Pause } else { Icon::Play }, "")}</button>
                <button aria-label={ui.next_event} onclick={on(send, || Action::Step(true))}>{icon(Icon::Next, "")}</button>
                {slider(app, send)}
                <span class="mono">{crate::pane::feed::clock(app.desk.at)}</span>
            </div>
            <section class="sheet">
                <nav class="ptabs" role="tablist">
                    {tab(Sheet::Goals, ui.goals, goals)}{tab(Sheet::Act, ui.act, String::new())}
                    {tab(Sheet::Why, ui.why, String::new())}{tab(Sheet::Time, ui.time, String::new())}
                </nav>
                {body}
            </section>
            <Outline items={::lab::view::outline::outline(&scene)} selected={app.selected.clone()} lang={app.settings.lang} send={send.clone()}/>
            {notices(app, send)}
        </main>
    }
}

fn slider(app: &App, send: &Callback<Action>) -> Html {
    let head = app.desk.session().head().0;
    let send = send.clone();
    let oninput = Callback::from(move |event: web_sys::InputEvent| {
        let value =
            crate::app::target::<web_sys::HtmlInputElement>(&event).and_then(|i| i.value().parse().ok());
        if let Some(at) = value {
            send.emit(Action::Seek(api::SimTime(at)));
        }
    });
    html! {
        <input type="range" class="bar" min="0" max={head.to_string()} value={app.desk.at.0.to_string()} {oninput}
            aria-label={app.ui().timeline} aria-valuetext={crate::pane::feed::clock(app.desk.at)}/>
    }
}

fn goals_tab(app: &App, view: &::lab::view::lesson::LessonView, send: &Callback<Action>) -> Html {
    let lang = app.settings.lang;
    html! {
        <>
            {rich::blocks(&view.intro, lang)}
            {lesson::goals(view, lang)}
            if let Some(question) = &view.predict { <Question key={question.id.clone()} question={question.clone()} {lang} send={send.clone()}/> }
            if let Some(view) = &view.diagnosis { <Diagnosis view={view.clone()} selected={app.selected.clone()} {lang} send={send.clone()}/> }
            if let Some(feedback) = &view.feedback { <div class="say">{icon(Icon::Chat, "")}<div>{rich::blocks(feedback, lang)}</div></div> }
            {for view.hints.iter().take(app.hints).map(|(_, text)| rich::blocks(text, lang))}
            if view.done {
                <div class="say is-done">{icon(Icon::Check, "")}<div>{rich::blocks(&view.summary, lang)}</div></div>
                {for view.quiz.iter().map(|q| html! { <Question key={q.id.clone()} question={q.clone()} {lang} send={send.clone()}/> })}
            } else {
                <div class="r"><button class="tool box" onclick={on(send, || Action::Hint)}>{icon(Icon::Bulb, "")}{app.ui().hint}</button>
                <button class="tool box" onclick={on(send, || Action::Solution)}>{app.ui().solution}</button></div>
            }
        </>
    }
}

fn act(app: &App, view: Option<&::lab::view::lesson::LessonView>, send: &Callback<Action>) -> Html {
    let ui = app.ui();
    let now = view.and_then(|view| view.goals.iter().find(|goal| goal.now));
    let chips = [
        "kubectl get pods",
        "kubectl get nodes",
        "lab wait 1m",
        "kubectl describe pod ",
        "kubectl get events",
    ];
    let (other, name) = match app.work {
        Work::Terminal => (Work::Editor, ui.editor),
        Work::Editor => (Work::Terminal, ui.terminal),
    };
    let symbol = |symbol: &'static str| {
        html! { <button onclick={on(send, move || Action::Insert(symbol))} aria-label={symbol}>{symbol}</button> }
    };
    html! {
        <>
            <div class="act">
                if let Some(goal) = now { <ul class="goals">{lesson::goal(goal, app.settings.lang)}</ul> }
                <div class="cards">
                    if view.is_some() { <button onclick={on(send, || Action::Solution)}>{ui.solution}</button> }
                    <button onclick={on(send, move || Action::Work(other))}>{name}</button>
                    {for chips.into_iter().map(|chip| html! {
                        <button onclick={on(send, move || Action::Type(chip.to_owned()))}><code>{chip}</code></button>
                    })}
                </div>
                if app.work == Work::Editor { {lab::editor(app, send)} } else { {lab::terminal(app, send)} }
            </div>
            <div class="sym" role="group" aria-label={ui.command_line}>{for SYMBOLS.into_iter().map(symbol)}</div>
        </>
    }
}
