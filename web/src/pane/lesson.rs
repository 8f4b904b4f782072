//! The lesson pane: goals that live, a prediction, feedback, hints, and what one can say at the end.

use lab::{
    lesson::progress::Standing,
    view::lesson::{GoalView, LessonView, QuestionView},
    words::{Lang, fill},
};
use web_sys::{HtmlInputElement, KeyboardEvent};
use yew::{Callback, Html, Properties, classes, function_component, html, use_state};

use super::{diagnosis::Diagnosis, order::Order};
use crate::{
    app::{Action, target},
    route::Route,
    widget::{Icon, choices::Choices, icon, rich},
};

/// What the pane is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The lesson and how far the learner is.
    pub view: LessonView,
    /// Hints that were asked for.
    pub hints: usize,
    /// What is picked in the scene.
    pub selected: Option<String>,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// The pane.
#[function_component(Lesson)]
pub fn lesson(props: &Props) -> Html {
    let Props { view, hints, selected, lang, send } = props;
    let ui = lang.ui();
    let more = {
        let send = send.clone();
        Callback::from(move |_| send.emit(Action::Hint))
    };
    let solution = {
        let send = send.clone();
        Callback::from(move |_| send.emit(Action::Solution))
    };
    // An order of cards is as tall as the pane: it stands where it is asked.
    let (docked, asked): (Vec<_>, Vec<_>) =
        view.predict.iter().partition(|it| it.given.is_none() && !it.sorts && !view.done);
    let question = |question: &QuestionView| {
        html! {
            <Question key={question.id.clone()} question={question.clone()} lang={*lang} send={send.clone()}/>
        }
    };
    html! {
        <section class="pane lesson" aria-label={ui.lesson} id="lesson">
            <div class="scroll" tabindex="0">
                <div class="l-head"><span>{view.part.clone()}</span><span>{fill(ui.minutes, view.minutes)}</span></div>
                <h1 class="l-title">{view.title.clone()}</h1>
                {rich::blocks(&view.intro, *lang)}
                {goals(view, *lang)}
                {for asked.into_iter().map(|it| html! { <><div class="sec"><span>{ui.predict}</span></div>{question(it)}</> })}
                if let Some(view) = &view.diagnosis {
                    <Diagnosis view={view.clone()} selected={selected.clone()} lang={*lang} send={send.clone()}/>
                }
                if let Some(feedback) = &view.feedback {
                    <div class="say" role="status">{icon(Icon::Chat, "")}<div>{rich::blocks(feedback, *lang)}</div></div>
                }
                {for view.hints.iter().take(*hints).map(|(number, text)| html! {
                    <div class="say hint">{icon(Icon::Bulb, "")}
                        <div><small>{format!("{} {number}", ui.hint)}</small>{rich::blocks(text, *lang)}</div></div>
                })}
                if view.done { {done(view, *lang, send)} }
            </div>
            {for docked.into_iter().map(|it| html! { <div class="ask"><div class="sec"><span>{ui.predict}</span></div>{question(it)}</div> })}
            if !view.done {
                <div class="l-foot">
                    <button class="tool box" onclick={more} disabled={*hints >= view.hints.len()}>
                        {icon(Icon::Bulb, "")}{format!("{} {}", ui.hint, (*hints + 1).min(view.hints.len().max(1)))}
                    </button>
                    <span class="grow"/>
                    <button class="tool" onclick={solution}>{ui.solution}</button>
                </div>
            }
        </section>
    }
}

/// The list of goals.
pub fn goals(view: &LessonView, lang: Lang) -> Html {
    let ui = lang.ui();
    html! {
        <>
            <div class="sec"><span>{ui.goals}</span><span class="mono">{format!("{}/{}", view.met, view.goals.len())}</span></div>
            <ul class="goals">{for view.goals.iter().map(|g| goal(g, lang))}</ul>
        </>
    }
}

/// One goal.
pub fn goal(goal: &GoalView, lang: Lang) -> Html {
    let ui = lang.ui();
    let class = match goal.standing {
        Standing::Met => Some("is-done"),
        Standing::Was => Some("is-lost"),
        Standing::Open | Standing::Holding | Standing::Locked if goal.now => Some("is-now"),
        Standing::Open | Standing::Holding | Standing::Locked => None,
    };
    let note = match goal.standing {
        Standing::Was => Some(ui.was_true.to_owned()),
        Standing::Locked if goal.waits_for_question => Some(ui.locked.to_owned()),
        Standing::Open | Standing::Holding if goal.hold_secs > 0 && goal.now => {
            Some(fill(ui.waiting_hold, goal.hold_secs))
        }
        Standing::Open | Standing::Holding | Standing::Locked | Standing::Met => None,
    };
    let sign = match goal.standing {
        Standing::Met => Some(Icon::Check),
        Standing::Was => Some(Icon::Bang),
        Standing::Locked if goal.waits_for_question => Some(Icon::Lock),
        Standing::Open | Standing::Holding | Standing::Locked => None,
    };
    html! {
        <li class={classes!("goal", class)} data-goal={goal.id.clone()} data-standing={format!("{:?}", goal.standing)}>
            <span class="box" aria-hidden="true">if let Some(sign) = sign { {icon(sign, "")} }</span>
            <span>{rich::inlines(&goal.text, lang)}if let Some(note) = note { <small>{note}</small> }
                if goal.standing == Standing::Met { <span class="vh">{" ✓"}</span> }</span>
            <span class="num">{goal.number.clone().unwrap_or_default()}</span>
        </li>
    }
}

/// Answers are counts: nobody needs more digits.
const MOST_DIGITS: usize = 6;

/// What a question is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct QuestionProps {
    /// The question.
    pub question: QuestionView,
    /// In which language.
    pub lang: Lang,
    /// Where actions go.
    pub send: Callback<Action>,
}

/// A prediction or a question of the quiz. An answer is stored; it is never "wrong, try again".
#[function_component(Question)]
pub fn question(props: &QuestionProps) -> Html {
    let QuestionProps { question, lang, send } = props;
    let ui = lang.ui();
    let picked = use_state(String::new);
    let lock = {
        let (send, id) = (send.clone(), question.id.clone());
        move |value: String| {
            if !value.trim().is_empty() {
                send.emit(Action::Answer(id.clone(), value.trim().to_owned()));
            }
        }
    };
    let locked = question.given.is_some();
    let oninput = {
        let picked = picked.clone();
        Callback::from(move |event: web_sys::InputEvent| {
            if let Some(input) = target::<HtmlInputElement>(&event) {
                picked.set(input.value().chars().filter(char::is_ascii_digit).take(MOST_DIGITS).collect());
            }
        })
    };
    let onkeydown = {
        let (lock, picked) = (lock.clone(), picked.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && !event.is_composing() {
                lock((*picked).clone());
            }
        })
    };
    let on_lock = {
        let (lock, picked) = (lock.clone(), picked.clone());
        Callback::from(move |_| lock((*picked).clone()))
    };
    let given_text = |value: &str| {
        question.options.iter().find(|(v, _)| v == value).map_or_else(|| value.to_owned(), |(_, t)| t.clone())
    };
    html! {
        <div class="predict" id={format!("question-{}", question.id)}>
            <h4 id={format!("asks-{}", question.id)}>{rich::inlines(&question.text, *lang)}</h4>
            if question.sorts {
                <Order question={question.clone()} lang={*lang} lock={ {
                    let lock = lock.clone();
                    Callback::from(move |order: String| lock(order))
                } }/>
            } else if question.options.is_empty() {
                <input class="number" inputmode="numeric" pattern="[0-9]*" autocomplete="off" aria-label={ui.number_answer} disabled={locked}
                    value={question.given.clone().unwrap_or_else(|| (*picked).clone())} {oninput} {onkeydown}/>
            } else {
                <Choices labelled_by={format!("asks-{}", question.id)} options={question.options.clone()} picked={(*picked).clone()}
                    given={question.given.clone()} answer={question.answer.clone()} pick={ {
                        let picked = picked.clone();
                        Callback::from(move |value: String| picked.set(value))
                    } }/>
            }
            if question.sorts {
            } else if let Some(given) = &question.given {
                <div class="after"><span>{format!("{} {}", ui.you_said, given_text(given))}</span>
                    if let (Some(answer), Some(right)) = (&question.answer, question.right) {
                        <span>{format!("{} {}", ui.outcome, given_text(answer))}{if right { format!(" · {}", ui.right) } else { String::new() }}</span>
                    }
                </div>
            } else {
                <button class="btn ghost small lock" onclick={on_lock} disabled={picked.trim().is_empty()}>{ui.lock_in}</button>
            }
        </div>
    }
}

fn done(view: &LessonView, lang: Lang, send: &Callback<Action>) -> Html {
    let ui = lang.ui();
    html! {
        <>
            <div class="say is-done" role="status">{icon(Icon::Check, "")}<div>{rich::blocks(&view.summary, lang)}</div></div>
            if !view.quiz.is_empty() { <div class="sec"><span>{ui.quiz}</span></div> }
            {for view.quiz.iter().map(|q| html! {
                <Question key={q.id.clone()} question={q.clone()} {lang} send={send.clone()}/>
            })}
            if let Some(text) = &view.break_it {
                <div class="sec"><span>{ui.break_it}</span></div>{rich::blocks(text, lang)}
            }
            <div class="after-all">
                if let Some(next) = &view.next {
                    if view.puzzle {
                        <a class="btn" href={Route::World(next.clone()).hash()}>{ui.next_puzzle}</a>
                    } else {
                        <a class="btn" href={Route::Lesson(next.clone()).hash()}>{ui.next_lesson}</a>
                    }
                }
                <a class="btn ghost" href={Route::Lessons.hash()}>{ui.lessons}</a>
            </div>
            <div class="sec"><span>{ui.sources}</span></div>{rich::blocks(&view.sources, lang)}
        </>
    }
}
