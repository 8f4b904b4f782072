//! What does the lesson pane show?
//!
//! Prose in the page's language beside how far the learner is. Numbers beside goals are the check's own.

use std::rc::Rc;

use crate::{
    lesson::{
        Form, Question,
        check::{Check, eval::Outcome},
        incident::Diagnosis,
        progress::{Progress, Standing},
        prose::{Block, Inline, Prose},
    },
    library::Book,
    words::Lang,
};

/// The part of the curriculum that the sandbox's puzzles stand in.
const PUZZLES: &str = "P";

/// A goal.
#[derive(Clone, Debug, PartialEq)]
pub struct GoalView {
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: Vec<Inline>,
    /// How it stands.
    pub standing: Standing,
    /// What there is and what is wanted, where the check counts.
    pub number: Option<String>,
    /// Seconds it must hold.
    pub hold_secs: u64,
    /// Whether it is the first that is not met.
    pub now: bool,
    /// Whether a question must be answered first.
    pub waits_for_question: bool,
}

/// A question, before or after.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionView {
    /// Its id.
    pub id: String,
    /// What it asks.
    pub text: Vec<Inline>,
    /// What to choose from: the value that is stored, and how it reads. Empty for a number.
    pub options: Vec<(String, String)>,
    /// Whether the options are cards to be put in order; an answer is their values with commas between.
    pub sorts: bool,
    /// What was answered.
    pub given: Option<String>,
    /// The right answer, once it may be shown.
    pub answer: Option<String>,
    /// Whether the given answer was right, once it may be shown.
    pub right: Option<bool>,
}

/// What an incident asks at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagnosisView {
    /// What it asks.
    pub text: Vec<Inline>,
    /// Causes to choose from: the value that is stored, and how it reads.
    pub causes: Vec<(String, String)>,
    /// The last explanation: cause and evidence.
    pub given: Option<(String, String)>,
    /// Whether that was right.
    pub right: bool,
    /// What speaks for or against the cause that was named.
    pub reply: Vec<Block>,
}

/// A lesson as the pane shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LessonView {
    /// Its number, as two digits.
    pub number: String,
    /// Its part of the curriculum.
    pub part: String,
    /// How long it takes.
    pub minutes: u32,
    /// Whether it is a puzzle of the sandbox.
    pub puzzle: bool,
    /// Its title.
    pub title: String,
    /// The introduction.
    pub intro: Vec<Block>,
    /// Goals.
    pub goals: Vec<GoalView>,
    /// Goals met.
    pub met: usize,
    /// The prediction that waits, or the last one that was given.
    pub predict: Option<QuestionView>,
    /// Feedback on what was just tried.
    pub feedback: Option<Vec<Block>>,
    /// Hints: number from 1 and text, for the goals not yet met first.
    pub hints: Vec<(usize, Vec<Block>)>,
    /// Whether all goals are met.
    pub done: bool,
    /// What one can say now.
    pub summary: Vec<Block>,
    /// Questions after the goals.
    pub quiz: Vec<QuestionView>,
    /// What an incident asks; nothing for a lesson.
    pub diagnosis: Option<DiagnosisView>,
    /// An extension.
    pub break_it: Option<Vec<Block>>,
    /// Where the facts come from.
    pub sources: Vec<Block>,
    /// The next lesson's slug, if it is there.
    pub next: Option<String>,
    /// What the solution types, line by line.
    pub solution: Vec<String>,
}

/// Everything a lesson says in one language.
#[must_use]
pub fn prose(book: &Book, lang: Lang) -> &Prose {
    match lang {
        Lang::Ko => &book.ko,
        Lang::En => &book.en,
    }
}

fn blocks(prose: &Prose, id: &str) -> Vec<Block> {
    prose.section(id).map(|section| section.blocks.clone()).unwrap_or_default()
}

fn first_paragraph(prose: &Prose, id: &str) -> Vec<Inline> {
    blocks(prose, id)
        .into_iter()
        .find_map(|block| match block {
            Block::Paragraph(text) => Some(text),
            Block::List(_) => None,
        })
        .unwrap_or_default()
}

/// How the goals stand for somebody who is told what happened: one that was met by the fact `ahead` or later is not met for them yet,
/// and those that wait for it still do. Without a fact everything is told.
#[must_use]
pub fn standings(progress: &Progress, ahead: Option<u64>) -> Vec<Standing> {
    let mut untold: Vec<&str> = Vec::new();
    let goals = progress.lesson().goals.iter().zip(progress.goals());
    let standing = goals.map(|(goal, state)| {
        let waits = goal.after.as_deref().is_some_and(|after| untold.contains(&after));
        let met_ahead = state.met_by.zip(ahead).is_some_and(|(met, ahead)| met > ahead);
        if waits || met_ahead {
            untold.push(&goal.id);
        }
        match state.standing {
            _ if waits => Standing::Locked,
            Standing::Met if met_ahead => Standing::Open,
            standing => standing,
        }
    });
    standing.collect()
}

/// The pane, as far as what happened is told: see [`standings`].
#[must_use]
pub fn lesson(book: &Book, progress: &Progress, ahead: Option<u64>, lang: Lang) -> LessonView {
    let prose = prose(book, lang);
    let lesson = &book.lesson;
    let states = progress.goals();
    let standings = standings(progress, ahead);
    let met = |standing: Standing| standing == Standing::Met;
    let first_open = standings.iter().position(|standing| !met(*standing));
    let goals: Vec<GoalView> = lesson
        .goals
        .iter()
        .zip(states)
        .zip(&standings)
        .enumerate()
        .map(|(index, ((goal, state), standing))| GoalView {
            id: goal.id.clone(),
            text: first_paragraph(prose, &format!("goal:{}", goal.id)),
            standing: *standing,
            number: number(&state.outcome),
            hold_secs: goal.hold.as_secs(),
            now: first_open == Some(index),
            waits_for_question: *standing == Standing::Locked
                && lesson.predict.iter().any(|question| {
                    question.before.as_deref() == Some(goal.id.as_str())
                        && progress.answer(&question.id).is_none()
                }),
        })
        .collect();
    let known = |question: &Question| {
        let goal = question.before.as_deref().and_then(|id| goals.iter().find(|g| g.id == id));
        goal.is_none_or(|goal| met(goal.standing))
    };
    let waiting = lesson.predict.iter().find(|q| progress.answer(&q.id).is_none());
    let last = lesson.predict.iter().rev().find(|q| progress.answer(&q.id).is_some());
    // A question is asked as soon as its goal can be worked for: later, what it asks for might have been seen.
    let is_asked = |question: &Question| {
        let before = question.before.as_deref();
        let goal = lesson.goals.iter().find(|goal| Some(goal.id.as_str()) == before);
        goal.and_then(|goal| goal.after.as_ref())
            .is_none_or(|after| goals.iter().any(|goal| goal.id == *after && met(goal.standing)))
    };
    let predict = match (waiting, last) {
        (Some(waiting), _) if is_asked(waiting) => Some(waiting),
        (_, Some(last)) => Some(last),
        (waiting, None) => waiting,
    };
    let done = first_open.is_none();
    LessonView {
        number: lesson.number(),
        part: match lang.part(&lesson.part) {
            "" => lesson.part.clone(),
            title if lesson.part == PUZZLES => format!("{title} · {}", lesson.order),
            title => format!("{} · {title}", lesson.part),
        },
        minutes: lesson.minutes,
        puzzle: lesson.part == PUZZLES,
        title: prose.title.clone(),
        intro: blocks(prose, "intro"),
        met: goals.iter().filter(|goal| met(goal.standing)).count(),
        predict: predict.map(|q| {
            let shown = progress.answer(&q.id).is_some() && known(q);
            question(prose, "predict", q, progress.answer(&q.id), shown)
        }),
        feedback: progress.feedback().map(|id| blocks(prose, &format!("wrong:{id}"))),
        hints: lesson
            .hints
            .iter()
            .enumerate()
            .filter(|(_, hint)| goals.iter().any(|goal| goal.id == hint.goal && !met(goal.standing)))
            .map(|(index, hint)| (index + 1, blocks(prose, &format!("hint:{}", hint.id))))
            .collect(),
        quiz: if done {
            lesson
                .quiz
                .iter()
                .map(|q| question(prose, "quiz", q, progress.answer(&q.id), progress.answer(&q.id).is_some()))
                .collect()
        } else {
            Vec::new()
        },
        diagnosis: lesson.diagnosis.as_ref().map(|it| diagnosis(prose, it, progress.explanation())),
        done,
        summary: blocks(prose, "done"),
        break_it: lesson.breakit.as_ref().map(|_| blocks(prose, "break")),
        sources: blocks(prose, "sources"),
        next: lesson.next.clone().filter(|slug| crate::library::lesson(slug).is_some()),
        solution: crate::script::lines(book.solution()),
        goals,
    }
}

fn diagnosis(prose: &Prose, asked: &Diagnosis, given: Option<(&str, &str)>) -> DiagnosisView {
    let reads = prose.section("causes").map(crate::lesson::prose::Section::options).unwrap_or_default();
    DiagnosisView {
        text: first_paragraph(prose, "causes"),
        causes: asked.causes.iter().cloned().zip(reads).collect(),
        given: given.map(|(cause, evidence)| (cause.to_owned(), evidence.to_owned())),
        right: given.is_some_and(|(cause, evidence)| asked.is_right(cause, evidence)),
        reply: given.map(|(cause, _)| blocks(prose, &format!("cause:{cause}"))).unwrap_or_default(),
    }
}

fn question(
    prose: &Prose,
    what: &str,
    question: &Question,
    given: Option<&str>,
    shown: bool,
) -> QuestionView {
    let section = format!("{what}:{}", question.id);
    let reads = prose.section(&section).map(crate::lesson::prose::Section::options).unwrap_or_default();
    let values: Vec<String> = match &question.form {
        Form::Choice(options) | Form::Order(options) => options.clone(),
        Form::Number { .. } | Form::Pick | Form::Cells { .. } => Vec::new(),
    };
    let answer = match &question.answer {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(cards) => {
            cards.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    QuestionView {
        id: question.id.clone(),
        text: first_paragraph(prose, &section),
        options: values
            .into_iter()
            .enumerate()
            .map(|(index, value)| {
                let text = reads.get(index).cloned().unwrap_or_else(|| value.clone());
                (value, text)
            })
            .collect(),
        sorts: matches!(question.form, Form::Order(_)),
        given: given.map(str::to_owned),
        right: given.filter(|_| shown).map(|given| question.is_right(given)),
        answer: shown.then_some(answer),
    }
}

/// Whether a goal that is not met asks the learner to do `action`.
#[must_use]
pub fn asks_for(book: &Book, progress: &Progress, action: &str) -> bool {
    fn mentions(check: &Check, action: &str) -> bool {
        match check {
            Check::Did { action: wanted, .. } => wanted == action,
            Check::All(parts) | Check::Any(parts) => parts.iter().any(|part| mentions(part, action)),
            _ => false,
        }
    }
    let goals = book.lesson.goals.iter().zip(progress.goals());
    goals.into_iter().any(|(goal, state)| state.standing != Standing::Met && mentions(&goal.check, action))
}

/// What there is and what is wanted: the first part that counts.
fn number(outcome: &Rc<Outcome>) -> Option<String> {
    fn find(outcome: &Outcome) -> Option<String> {
        let digits = |text: &Option<String>| {
            text.clone().filter(|t| t.chars().any(|c| c.is_ascii_digit()) && t.chars().count() <= 4)
        };
        match (digits(&outcome.got), digits(&outcome.want)) {
            (Some(got), Some(want)) => Some(format!("{got}/{}", want.trim_start_matches(['≥', '≤', ' ']))),
            _ => outcome.parts.iter().find_map(find),
        }
    }
    find(outcome)
}

#[cfg(test)]
mod tests {
    use api::SimDuration;

    use super::*;
    use crate::{Session, library};

    #[test]
    fn a_question_is_asked_before_what_it_asks_for_can_be_seen() {
        let book = library::lesson("fargate-limits").expect("the lesson");
        let mut session =
            Session::of_lesson(Rc::clone(&book.scenario), Rc::clone(&book.lesson), 4).expect("a session");
        let mut asked = || {
            let view = lesson(&book, session.progress().expect("a lesson"), None, Lang::En);
            let id = view.predict.map(|it| it.id).unwrap_or_default();
            session.run_line(&format!("lab answer {id} 1"));
            id
        };
        assert_eq!([asked(), asked()], ["five", "vcpu"], "both goals can be worked for at once");
    }

    #[test]
    fn a_goal_is_met_for_a_reader_when_its_moment_is_told() {
        let book = library::lesson("pod-birth").expect("the lesson");
        let mut session =
            Session::of_lesson(Rc::clone(&book.scenario), Rc::clone(&book.lesson), 4).expect("a session");
        session.settle(SimDuration::secs(60));
        session.run_line("kubectl apply -f pod.yaml");
        session.settle(SimDuration::secs(60));
        session.run_line("lab answer order authn");
        let progress = session.progress().expect("a lesson");
        let met_by = progress.goal("born").and_then(|goal| goal.met_by).expect("it runs");
        let first = |ahead| standings(progress, ahead)[..2].to_vec();
        assert_eq!(first(Some(met_by - 1)), [Standing::Open, Standing::Locked]);
        assert_eq!(first(Some(met_by)), [Standing::Met, Standing::Open]);
        assert_eq!(first(None), [Standing::Met, Standing::Open]);
    }

    #[test]
    fn what_was_told_stays_met_when_more_happens_at_the_same_time() {
        let book = library::lesson("pod-birth").expect("the lesson");
        let mut session =
            Session::of_lesson(Rc::clone(&book.scenario), Rc::clone(&book.lesson), 4).expect("a session");
        for line in ["kubectl apply -f pod.yaml", "lab wait idle", "lab answer order authn"] {
            session.run_line(line);
        }
        session.run_line("kubectl run visitor --image=registry.k8s.io/pause:3.10 --as=visitor");
        let told = session.facts().len() as u64;
        session.run_line("kubectl run lost --image=registry.k8s.io/pause:3.10 --namespace=nowhere");
        let progress = session.progress().expect("a lesson");
        let [_, _, powerless, unwelcome] = standings(progress, Some(told))[..] else { panic!("four goals") };
        assert_eq!((powerless, unwelcome), (Standing::Met, Standing::Open));
        assert_eq!(standings(progress, None)[3], Standing::Met);
    }
}
