//! Rules about a lesson's files and place in the curriculum.

use std::collections::BTreeSet;

use super::{Case, Finding};
use crate::{library, script};

/// Learner commands within which the first goal is reached.
const SOON: usize = 3;

/// V1: files and ids that others name are there. What the schema says was said when the lesson was read.
pub(super) fn complete(case: &Case<'_>) -> Vec<Finding> {
    let (lesson, folder) = (&case.book.lesson, &case.book.folder);
    let mut findings = Vec::new();
    let mut missing = |file: &str, message: String| findings.push(Finding::new("V1", file, message));
    for file in ["ko.md", "en.md", "solution.sh"] {
        if folder.file(file).is_none() {
            missing(file, "is not there".to_owned());
        }
    }
    if let Some(start) = lesson.world.start.as_ref().filter(|start| folder.file(start).is_none()) {
        missing("lesson.yaml", format!("world.start: {start} is not there"));
    }
    if script::lines(case.book.solution()).is_empty() {
        missing("solution.sh", "has no line".to_owned());
    }
    let wrong: BTreeSet<String> = lesson.wrong.iter().map(|wrong| format!("{}.sh", wrong.id)).collect();
    let scripts: BTreeSet<String> = folder.under("wrong").map(|(name, _)| name.to_owned()).collect();
    for name in wrong.difference(&scripts) {
        missing("lesson.yaml", format!("wrong/{name} is not there"));
    }
    for name in scripts.difference(&wrong) {
        missing(&format!("wrong/{name}"), "no feedback has this id".to_owned());
    }
    for term in lesson.terms.iter().filter(|term| library::term(term).is_none()) {
        missing("lesson.yaml", format!("terms: the glossary has no {term:?}"));
    }
    let order = folder.name.split('-').next().and_then(|number| number.parse::<u32>().ok());
    let slug = folder.name.split_once('-').map(|(_, slug)| slug);
    if order != Some(lesson.order) || slug != Some(lesson.slug.as_str()) {
        missing("lesson.yaml", format!("the folder {:?} is not order and slug", folder.name));
    }
    findings
}

/// V12: the concepts that the curriculum gives to this lesson are claimed, and the first goal comes soon.
pub(super) fn covers(case: &Case<'_>) -> Vec<Finding> {
    let lesson = &case.book.lesson;
    let mut findings = Vec::new();
    // Numbers of incidents are their own: the curriculum gives concepts to lessons.
    let is_lesson = lesson.diagnosis.is_none();
    let given = case.coverage.iter().filter(|(_, lessons)| is_lesson && lessons.contains(&lesson.order));
    for (concept, _) in given.filter(|(concept, _)| !lesson.seeds.contains(concept)) {
        let message = format!("seeds: the curriculum gives concept {concept} to this lesson");
        findings.push(Finding::new("V12", "lesson.yaml", message));
    }
    for seed in &lesson.seeds {
        let known = case.coverage.iter().any(|(concept, _)| concept == seed);
        if !case.coverage.is_empty() && !known {
            findings.push(Finding::new("V12", "lesson.yaml", format!("seeds: no concept {seed:?}")));
        }
    }
    match case.solved.commands_until.first() {
        Some(Some(commands)) if *commands <= SOON => {}
        Some(Some(commands)) => {
            let message = format!("the first goal takes {commands} commands, at most {SOON}");
            findings.push(Finding::new("V12", "solution.sh", message));
        }
        Some(None) | None => {
            findings.push(Finding::new("V12", "solution.sh", "the first goal is not reached"));
        }
    }
    findings
}
