//! Which recorded cases does the lab answer otherwise on purpose, and why?
//!
//! The list is `tests/vectors/differs.tsv`, which the page of what is left out shows too. A case on it that agrees is a fault of the list.

use super::Disagreement;

static LIST: &str = include_str!("../../../../tests/vectors/differs.tsv");

/// A case, or some steps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    suite: &'static str,
    pub(super) case: &'static str,
    /// None for the whole case.
    steps: Vec<usize>,
    pub(super) why: &'static str,
}

impl Listed {
    /// Its name in a report.
    pub(super) fn shown(&self) -> String {
        let steps: Vec<String> = self.steps.iter().map(usize::to_string).collect();
        let at = if steps.is_empty() { String::new() } else { format!(" at step {}", steps.join(", ")) };
        format!("{}{at}", self.case)
    }

    fn is(&self, suite: &str, case: &str, step: Option<usize>) -> bool {
        let has_step = step.map_or(self.steps.is_empty(), |step| self.steps.contains(&step));
        self.suite == suite && self.case == case && has_step
    }

    /// Whether this is where it differs.
    pub(super) fn explains(&self, suite: &str, it: &Disagreement) -> bool {
        let step = it.at.strip_prefix("step ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        self.is(suite, &it.id, step)
    }
}

/// The list of a suite.
pub(super) fn of(suite: &str) -> Vec<Listed> {
    let lines = LIST.lines().skip(1).filter_map(|line| {
        let [suite, case, steps, why, _] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
        let steps = steps.split(',').filter_map(|step| step.parse().ok()).collect();
        Some(Listed { suite, case, steps, why })
    });
    lines.filter(|it| it.suite == suite).collect()
}

/// Whether a step of a sequence is on the list: what follows it is looked at all the same.
pub(super) fn is_listed(suite: &str, case: &str, step: usize) -> bool {
    of(suite).iter().any(|it| it.is(suite, case, Some(step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_read() {
        let lines = LIST.lines().skip(1).count();
        assert_eq!(
            ["session", "kubectl", "validate"].map(|suite| of(suite).len()).iter().sum::<usize>(),
            lines
        );
        assert!(of("kubectl").iter().all(|it| it.why.ends_with('.')));
        assert!(is_listed("session", "o-discovery", 6) && !is_listed("session", "o-discovery", 7));
    }
}
