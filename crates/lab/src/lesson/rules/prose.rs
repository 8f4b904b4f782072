//! Rules about what a lesson says.

use std::collections::BTreeSet;

use super::{Case, Finding};
use crate::{
    lesson::{
        Form, facts,
        prose::{Block, Inline, Prose, plain},
    },
    library,
};

/// Most words of an English introduction.
const WORDS: usize = 90;

/// Most characters of a paragraph of a Korean introduction.
const CHARACTERS: usize = 220;

/// V8: names that a goal's check demands stand in its text, in both languages.
pub(super) fn names_are_said(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, prose) in sides(case) {
        for goal in &case.book.lesson.goals {
            let id = format!("goal:{}", goal.id);
            let text = prose.section(&id).map(super::super::prose::Section::plain).unwrap_or_default();
            for name in goal.check.names().iter().filter(|name| !text.contains(name.as_str())) {
                findings.push(Finding::new("V8", file, format!("## {id}: does not say {name:?}")));
            }
        }
    }
    findings
}

/// V9: the same sections in both languages, none empty, short introductions, links that lead somewhere.
pub(super) fn languages_agree(case: &Case<'_>) -> Vec<Finding> {
    let lesson = &case.book.lesson;
    let want = lesson.sections();
    let mut findings = Vec::new();
    for (file, prose) in sides(case) {
        let mut say = |message: String| findings.push(Finding::new("V9", file, message));
        if prose.title.is_empty() {
            say("has no title".to_owned());
        }
        let mut seen = BTreeSet::new();
        for section in &prose.sections {
            if !seen.insert(section.id.as_str()) {
                say(format!("line {}: ## {} stands twice", section.line, section.id));
            }
            if !want.contains(&section.id) {
                say(format!("line {}: nothing in lesson.yaml is called {}", section.line, section.id));
            }
            if section.plain().trim().is_empty() {
                say(format!("line {}: ## {} is empty", section.line, section.id));
            }
            for inline in section.inlines() {
                match inline {
                    Inline::Term { id, .. } if library::term(id).is_none() => {
                        say(format!("line {}: the glossary has no {id:?}", section.line));
                    }
                    Inline::Fact { words, value: None } => {
                        say(format!("line {}: there is no fact {{{{{words}}}}}", section.line));
                    }
                    _ => {}
                }
            }
        }
        for id in want.iter().filter(|id| !seen.contains(id.as_str())) {
            say(format!("## {id} is missing"));
        }
        if let Some(diagnosis) = &lesson.diagnosis {
            let said = prose.section("causes").map_or(0, |section| section.options().len());
            if said != diagnosis.causes.len() {
                say(format!("## causes: {said} causes, lesson.yaml has {}", diagnosis.causes.len()));
            }
        }
        for (group, questions) in [("predict", &lesson.predict), ("quiz", &lesson.quiz)] {
            for question in questions {
                let options = match &question.form {
                    Form::Choice(options) | Form::Order(options) | Form::Cells { options, .. } => {
                        options.len()
                    }
                    Form::Number { .. } | Form::Pick => 0,
                };
                let id = format!("{group}:{}", question.id);
                let said = prose.section(&id).map_or(0, |section| section.options().len());
                if said != options {
                    say(format!("## {id}: {said} options, lesson.yaml has {options}"));
                }
            }
        }
    }
    findings.extend(too_long(case));
    findings
}

fn too_long(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let intro =
        |prose: &Prose| prose.section("intro").map(|section| section.blocks.clone()).unwrap_or_default();
    let paragraphs = |prose: &Prose| -> Vec<String> {
        let texts = intro(prose).into_iter().map(|block| match block {
            Block::Paragraph(inlines) => plain(&inlines),
            Block::List(items) => items.iter().map(|item| plain(item)).collect::<Vec<_>>().join(" "),
        });
        texts.collect()
    };
    let words = paragraphs(&case.book.en).iter().map(|text| text.split_whitespace().count()).sum::<usize>();
    if words > WORDS {
        findings.push(Finding::new("V9", "en.md", format!("## intro: {words} words, at most {WORDS}")));
    }
    for text in paragraphs(&case.book.ko) {
        let characters = text.chars().count();
        if characters > CHARACTERS {
            let message = format!("## intro: a paragraph of {characters} characters, at most {CHARACTERS}");
            findings.push(Finding::new("V9", "ko.md", message));
        }
    }
    findings
}

/// V15: beside an instance type's name, a number that a fact could give is a fact.
pub(super) fn numbers_are_facts(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, prose) in sides(case) {
        for section in &prose.sections {
            let inlines = section.inlines();
            let types: BTreeSet<&str> = inlines.iter().flat_map(|inline| types_in(inline)).collect();
            let watched: Vec<(String, String)> = types.iter().flat_map(|it| facts::watched(it)).collect();
            let texts = inlines.iter().filter_map(|inline| match inline {
                Inline::Text(text) => Some(text.as_str()),
                _ => None,
            });
            for number in texts.flat_map(numbers) {
                if let Some((_, fact)) = watched.iter().find(|(value, _)| *value == number) {
                    let message =
                        format!("line {}: ## {}: write {number} as {{{{{fact}}}}}", section.line, section.id);
                    findings.push(Finding::new("V15", file, message));
                }
            }
        }
    }
    findings
}

/// Instance types that a stretch of text names.
fn types_in(inline: &Inline) -> Vec<&str> {
    let text = match inline {
        Inline::Text(text) | Inline::Code(text) | Inline::Fact { words: text, .. } => text,
        Inline::Strong(_) | Inline::Term { .. } | Inline::Link { .. } => return Vec::new(),
    };
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
        .map(|word| word.trim_matches('.'))
        .filter(|word| cni::limits::of(word).is_some())
        .collect()
}

/// Numbers that stand by themselves.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()))
}

fn sides<'a>(case: &'a Case<'_>) -> [(&'static str, &'a Prose); 2] {
    [("ko.md", &case.book.ko), ("en.md", &case.book.en)]
}
