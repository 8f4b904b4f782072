//! How is `lesson.yaml` read?
//!
//! From its JSON form, so that the page needs no YAML of ours. Everything that is wrong is collected.

use std::collections::BTreeSet;

use api::{FieldPath, SimDuration};
use serde_json::Value;

use super::{
    Allow, FirstView, Form, Goal, Hint, Lesson, Let, Place, Question, Wrong,
    check::{Check, Ref},
    fields::{Errors, Fields, LoadError},
    incident::Diagnosis,
};

const FORMS: &[&str] = &["choice", "number", "pick", "order", "cells"];

impl Lesson {
    /// Reads the machine part.
    /// # Errors
    /// Everything that is wrong with it, each with its field and the nearest known word.
    pub fn read(value: &Value) -> Result<Lesson, Vec<LoadError>> {
        let mut errors = Errors::default();
        let lesson = lesson(value, &mut errors);
        match lesson {
            Some(lesson) if errors.0.is_empty() => Ok(lesson),
            _ => Err(errors.0),
        }
    }
}

fn lesson(value: &Value, errors: &mut Errors) -> Option<Lesson> {
    let root = FieldPath::root();
    let mut fields = Fields::open(value, &root, errors)?;
    let version = fields.text("apiVersion", errors);
    if version != "podpath/v1" {
        errors.unknown(&fields.at("apiVersion"), "version", &version, ["podpath/v1"]);
    }
    let kind = fields.text("kind", errors);
    const KINDS: [&str; 3] = ["Lesson", "Incident", "Puzzle"];
    if !KINDS.contains(&kind.as_str()) {
        errors.unknown(&fields.at("kind"), "kind", &kind, KINDS);
    }
    let mut lesson = Lesson {
        slug: fields.text("slug", errors),
        order: small(fields.number("order", errors)),
        part: fields.text("part", errors),
        minutes: small(fields.number("minutes", errors)),
        seeds: fields.texts("seeds", errors),
        requires: fields.texts("requires", errors),
        world: place(&mut fields, errors),
        ui: first_view(&mut fields, errors),
        allow: allow(&mut fields, errors),
        terms: fields.texts("terms", errors),
        lets: lets(&mut fields, errors),
        predict: questions(&mut fields, "predict", errors),
        goals: each(&mut fields, "goals", errors, goal),
        wrong: each(&mut fields, "wrong", errors, wrong),
        hints: each(&mut fields, "hints", errors, |fields, errors| {
            Some(Hint { id: fields.text("id", errors), goal: fields.text("for", errors) })
        }),
        quiz: questions(&mut fields, "quiz", errors),
        breakit: fields.get("breakit").and_then(|value| {
            let path = FieldPath::of("breakit");
            let mut fields = Fields::open(value, &path, errors)?;
            let check = fields.need("check", errors);
            fields.close(errors);
            Check::read(check?, &path.field("check"), errors)
        }),
        next: fields.maybe_text("next", errors),
        diagnosis: (kind == "Incident").then(|| Diagnosis::read(&mut fields, errors)).flatten(),
    };
    lesson.goals.extend(lesson.diagnosis.as_ref().and_then(|it| it.goal(errors)));
    fields.close(errors);
    names(&lesson, errors);
    Some(lesson)
}

/// Ids are given once, and whoever names a goal names one that is there.
fn names(lesson: &Lesson, errors: &mut Errors) {
    let groups: [(&str, Vec<&str>); 5] = [
        ("goals", lesson.goals.iter().map(|it| it.id.as_str()).collect()),
        ("predict", lesson.predict.iter().map(|it| it.id.as_str()).collect()),
        ("wrong", lesson.wrong.iter().map(|it| it.id.as_str()).collect()),
        ("hints", lesson.hints.iter().map(|it| it.id.as_str()).collect()),
        ("quiz", lesson.quiz.iter().map(|it| it.id.as_str()).collect()),
    ];
    for (group, ids) in &groups {
        let mut seen = BTreeSet::new();
        for (i, id) in ids.iter().enumerate().filter(|(_, id)| !seen.insert(**id)) {
            errors.push(&FieldPath::of(group).index(i).field("id"), format!("{id:?} is given twice"));
        }
    }
    let goals = &groups[0].1;
    let mut known = |path: FieldPath, id: &str| {
        if !goals.contains(&id) {
            errors.unknown(&path, "goal", id, goals.iter().copied());
        }
    };
    for (i, goal) in lesson.goals.iter().enumerate() {
        goal.after.iter().for_each(|id| known(FieldPath::of("goals").index(i).field("after"), id));
    }
    for (i, question) in lesson.predict.iter().enumerate() {
        question.before.iter().for_each(|id| known(FieldPath::of("predict").index(i).field("before"), id));
    }
    for (i, hint) in lesson.hints.iter().enumerate() {
        known(FieldPath::of("hints").index(i).field("for"), &hint.goal);
    }
    for it in &lesson.lets {
        known(FieldPath::of("let").field(&it.name).field("when"), &it.when);
    }
}

/// Reads a list of objects, each closed after it was read.
fn each<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    errors: &mut Errors,
    read: impl Fn(&mut Fields<'_>, &mut Errors) -> Option<T>,
) -> Vec<T> {
    let path = fields.at(name);
    let mut out = Vec::new();
    for (i, item) in fields.items(name, errors).iter().enumerate() {
        let Some(mut fields) = Fields::open(item, &path.index(i), errors) else { continue };
        out.extend(read(&mut fields, errors));
        fields.close(errors);
    }
    out
}

fn place(fields: &mut Fields<'_>, errors: &mut Errors) -> Place {
    let path = fields.at("world");
    let Some(mut fields) = fields.need("world", errors).and_then(|v| Fields::open(v, &path, errors)) else {
        return Place::default();
    };
    let mut place = Place {
        fixture: fields.text("fixture", errors),
        start: fields.maybe_text("start", errors),
        seed: fields.number("seed", errors),
        speed: None,
        paused: false,
    };
    if let Some(mut clock) = fields.get("clock").and_then(|v| Fields::open(v, &path.field("clock"), errors)) {
        // As hundredths, so that no float gets into a lesson.
        place.speed = clock.get("speed").and_then(Value::as_f64).map(|speed| (speed * 100.0) as u32);
        place.paused = clock.flag("paused", errors);
        clock.close(errors);
    }
    fields.close(errors);
    place
}

fn first_view(fields: &mut Fields<'_>, errors: &mut Errors) -> FirstView {
    let path = fields.at("ui");
    let Some(mut fields) = fields.get("ui").and_then(|v| Fields::open(v, &path, errors)) else {
        return FirstView::default();
    };
    let view = FirstView {
        panes: fields.texts("panes", errors),
        select: fields.maybe_text("select", errors),
        zoom: fields.maybe_text("zoom", errors),
    };
    fields.close(errors);
    view
}

fn allow(fields: &mut Fields<'_>, errors: &mut Errors) -> Option<Allow> {
    let path = fields.at("allow");
    let mut fields = fields.get("allow").and_then(|v| Fields::open(v, &path, errors))?;
    let allow = Allow { commands: fields.texts("commands", errors), edit: fields.flag("edit", errors) };
    fields.close(errors);
    Some(allow)
}

fn lets(fields: &mut Fields<'_>, errors: &mut Errors) -> Vec<Let> {
    let path = fields.at("let");
    let Some(fields) = fields.get("let").and_then(|v| Fields::open(v, &path, errors)) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for (name, value) in fields.rest() {
        let path = path.field(name);
        let Some(mut fields) = Fields::open(value, &path, errors) else { continue };
        let when = fields.text("when", errors);
        let mut place = value.clone();
        if let Value::Object(map) = &mut place {
            map.remove("when");
        }
        if let Some(from) = Ref::read(&place, &path, errors) {
            out.push(Let { name: name.clone(), from, when });
        }
    }
    out
}

fn questions(fields: &mut Fields<'_>, name: &'static str, errors: &mut Errors) -> Vec<Question> {
    each(fields, name, errors, |fields, errors| {
        let id = fields.text("id", errors);
        let word = fields.text("type", errors);
        let form = match word.as_str() {
            "choice" => Form::Choice(fields.texts("options", errors)),
            "number" => Form::Number {
                tolerance: fields.get("tolerance").and_then(Value::as_u64).unwrap_or_default(),
            },
            "pick" => Form::Pick,
            "order" => Form::Order(fields.texts("options", errors)),
            "cells" => Form::Cells {
                rows: fields.texts("rows", errors),
                columns: fields.texts("columns", errors),
                options: fields.texts("options", errors),
            },
            _ => {
                errors.unknown(&fields.at("type"), "type", &word, FORMS.iter().copied());
                return None;
            }
        };
        let answer = fields.need("answer", errors).cloned().unwrap_or_default();
        if let (Form::Choice(options), Value::String(answer)) = (&form, &answer)
            && !options.contains(answer)
        {
            errors.unknown(&fields.at("answer"), "option", answer, options.iter().map(String::as_str));
        }
        let before = fields.maybe_text("before", errors);
        Some(Question { id, form, answer, before })
    })
}

fn goal(fields: &mut Fields<'_>, errors: &mut Errors) -> Option<Goal> {
    let id = fields.text("id", errors);
    let after = fields.maybe_text("after", errors);
    let once = fields.flag("once", errors);
    let from_start = fields.flag("from_start", errors);
    let hold = duration(fields, "hold", errors);
    let check = fields.need("check", errors).and_then(|v| Check::read(v, &fields.at("check"), errors));
    Some(Goal { id, check: check?, after, once, hold, from_start })
}

fn wrong(fields: &mut Fields<'_>, errors: &mut Errors) -> Option<Wrong> {
    let id = fields.text("id", errors);
    let when = fields.need("when", errors).and_then(|v| Check::read(v, &fields.at("when"), errors));
    let until = fields.get("until").and_then(|v| Check::read(v, &fields.at("until"), errors));
    Some(Wrong { id, when: when?, until })
}

/// `5s`, `2m`; zero if absent.
fn duration(fields: &mut Fields<'_>, name: &'static str, errors: &mut Errors) -> SimDuration {
    let Some(text) = fields.maybe_text(name, errors) else { return SimDuration::ZERO };
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    match (number.parse::<u64>(), unit) {
        (Ok(n), "s") => SimDuration::secs(n),
        (Ok(n), "m") => SimDuration::secs(n.saturating_mul(60)),
        _ => {
            errors.push(&fields.at(name), format!("{text:?} is no duration such as \"5s\""));
            SimDuration::ZERO
        }
    }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn minimal() -> Value {
        json!({
            "apiVersion": "podpath/v1", "kind": "Lesson", "slug": "a", "order": 1, "part": "A", "minutes": 3,
            "world": {"fixture": "kind1", "seed": 5},
            "goals": [{"id": "g", "hold": "3s", "check": {"exists": {"kind": "Pod", "name": "x"}}}]
        })
    }

    fn wrong_at(change: impl Fn(&mut Value)) -> String {
        let mut value = minimal();
        change(&mut value);
        Lesson::read(&value).err().map(|errors| errors[0].to_string()).unwrap_or_default()
    }

    #[test]
    fn a_small_lesson_is_read() {
        let lesson = Lesson::read(&minimal()).expect("a lesson");
        assert_eq!(lesson.goals[0].hold, SimDuration::secs(3));
    }

    #[test]
    fn an_unknown_kind_is_named_with_the_nearest_one() {
        let said = wrong_at(|v| v["goals"][0]["check"]["exists"]["kind"] = json!("Deploymnet"));
        assert_eq!(
            said,
            "goals[0].check.exists.kind: unknown kind \"Deploymnet\"; did you mean \"Deployment\"?"
        );
    }

    #[test]
    fn an_unknown_operator_is_named_with_the_nearest_one() {
        let said = wrong_at(|v| v["goals"][0]["check"]["exists"]["spec"] = json!({"$absnt": true}));
        assert!(said.ends_with("unknown operator \"$absnt\"; did you mean \"$absent\"?"), "{said}");
    }

    #[test]
    fn a_goal_that_is_not_there_cannot_be_waited_for() {
        let said = wrong_at(|v| v["goals"][0]["after"] = json!("h"));
        assert_eq!(said, "goals[0].after: unknown goal \"h\"");
    }

    #[test]
    fn a_field_that_no_pool_has_is_an_error() {
        let said = wrong_at(|v| v["goals"][0]["check"]["exists"] = json!({"kind": "sim/IpPool", "usd": 9}));
        assert!(said.ends_with("unknown field of sim/IpPool \"usd\"; did you mean \"used\"?"), "{said}");
    }
}
