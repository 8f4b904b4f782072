//! What does the lab simulate, and what does it leave out?
//!
//! Read off the code: kinds from the registry of kinds, simplifications from the markers where they are made. The page
//! cannot say anything else than what is so.

use api::{Domain, Kind};

use crate::library::{self, Difference, Simplification};

/// Kinds of one API group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Such as `apps/v1`; empty for what is no Kubernetes object.
    pub name: String,
    /// Kinds that something happens with.
    pub simulated: Vec<&'static str>,
    /// Kinds that are kept and shown back.
    pub stored: Vec<&'static str>,
}

/// Simplifications in one part of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// The crate.
    pub name: &'static str,
    /// What is simpler there.
    pub simplifications: Vec<&'static Simplification>,
}

/// Every group of the API that the lab serves, in the order of the registry.
#[must_use]
pub fn groups() -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let served = Kind::EVERY.iter().map(|it| it.info()).filter(|it| it.domain() == Domain::Kubernetes);
    for kind in served {
        let name = kind.api_version();
        let at = groups.iter().position(|it| it.name == name).unwrap_or_else(|| {
            groups.push(Group { name, simulated: Vec::new(), stored: Vec::new() });
            groups.len() - 1
        });
        let group = &mut groups[at];
        if kind.simulated { &mut group.simulated } else { &mut group.stored }.push(kind.kind);
    }
    groups
}

/// Every simplification, by part of the lab.
#[must_use]
pub fn areas() -> Vec<Area> {
    let mut areas: Vec<Area> = Vec::new();
    for it in &library::packed().simplifications {
        match areas.last_mut().filter(|area| area.name == it.area) {
            Some(area) => area.simplifications.push(it),
            None => areas.push(Area { name: &it.area, simplifications: vec![it] }),
        }
    }
    areas
}

/// Recorded cases that the lab answers otherwise on purpose, by the reason: each reason once, with its cases.
#[must_use]
pub fn differences() -> Vec<(&'static (String, String), Vec<&'static Difference>)> {
    let mut reasons: Vec<(&(String, String), Vec<&Difference>)> = Vec::new();
    for it in &library::packed().differences {
        match reasons.iter_mut().find(|(why, _)| **why == it.why) {
            Some((_, cases)) => cases.push(it),
            None => reasons.push((&it.why, vec![it])),
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_simulated_or_stored_and_none_is_both() {
        let groups = groups();
        let core = groups.iter().find(|it| it.name == "v1").expect("the core group");
        assert!(core.simulated.contains(&"Pod") && !core.stored.contains(&"Pod"));
        assert!(core.stored.contains(&"PodTemplate"), "{:?}", core.stored);
    }

    #[test]
    fn what_differs_on_purpose_is_told_with_its_reason_in_both_languages() {
        let reasons = differences();
        assert!(!reasons.is_empty());
        for ((en, ko), cases) in reasons {
            assert!(en.ends_with('.') && ko.ends_with("다.") && !cases.is_empty(), "{en} / {ko}");
        }
    }

    #[test]
    fn a_simplification_is_a_sentence_with_what_it_is_about() {
        let areas = areas();
        assert!(areas.iter().any(|it| it.name == "scheduler") && areas.iter().any(|it| it.name == "shell"));
        for it in areas.iter().flat_map(|it| &it.simplifications) {
            assert!(it.text.ends_with(['.', ')']), "{}: {}", it.about, it.text);
            assert!(
                !it.about.is_empty() && it.text.matches('`').count() % 2 == 0,
                "{}: {}",
                it.about,
                it.text
            );
        }
    }
}
