//! Which completion indexes are done, failed, under way, or next?
//!
//! [`Indexes`] is a set of numbers kept as intervals, written as the status writes it: `0-2,4,6,7`.
//! Source: `pkg/controller/job/indexed_job_utils.go`.

use api::k8s::{
    batch::v1::{Job, JobSpec},
    core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod},
};

/// The annotation and the label that carry a pod's index.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// How often pods of this index failed before.
pub(super) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// How often they failed in a way that does not count.
pub(super) const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// A set of completion indexes: intervals with both ends, in order and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Indexes(Vec<(i32, i32)>);

impl Indexes {
    /// Reads what a status or a success policy says; what is beyond the completions is left out.
    pub(super) fn parse(text: &str, completions: i32) -> Self {
        let mut all = Self::default();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) else { continue };
            if first >= completions {
                break;
            }
            all.add(first, last.min(completions - 1));
        }
        all
    }

    /// The same with one more interval.
    fn add(&mut self, first: i32, last: i32) {
        let at = self.0.partition_point(|(begin, _)| *begin < first);
        self.0.insert(at, (first, last));
        let mut merged: Vec<(i32, i32)> = Vec::with_capacity(self.0.len());
        for (first, last) in self.0.drain(..) {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        self.0 = merged;
    }

    /// The same with these numbers.
    pub(super) fn with(&self, more: impl IntoIterator<Item = i32>) -> Self {
        let mut all = self.clone();
        for index in more {
            if !all.has(index) {
                all.add(index, index);
            }
        }
        all
    }

    /// What either has.
    pub(super) fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        other.0.iter().for_each(|(first, last)| all.add(*first, *last));
        all
    }

    pub(super) fn has(&self, index: i32) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < index);
        self.0.get(at).is_some_and(|(first, _)| *first <= index)
    }

    pub(super) fn total(&self) -> i32 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// How many both have.
    pub(super) fn common(&self, other: &Self) -> i32 {
        let pairs = self.0.iter().flat_map(|a| other.0.iter().map(move |b| (a, b)));
        pairs.map(|(a, b)| (a.1.min(b.1) - a.0.max(b.0) + 1).max(0)).sum()
    }

    /// The first `count` numbers below `completions` that are not here.
    pub(super) fn first_missing(&self, count: usize, completions: i32) -> Vec<i32> {
        let mut found = Vec::new();
        let mut candidate = 0;
        for (first, last) in &self.0 {
            found.extend((candidate..(*first).min(completions)).take(count - found.len()));
            candidate = last + 1;
        }
        found.extend((candidate..completions).take(count - found.len()));
        found
    }
}

impl std::fmt::Display for Indexes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (first, last)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            match last - first {
                0 => write!(out, "{comma}{first}")?,
                // UPSTREAM: two neighbours are two numbers, three are an interval.
                1 => write!(out, "{comma}{first},{last}")?,
                _ => write!(out, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// Whether each completion of the Job has a number of its own.
pub(super) fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

fn note(pod: &Pod, key: &str) -> Option<i32> {
    let text = pod.metadata.annotations.as_ref()?.get(key)?;
    text.parse::<i32>().ok().filter(|number| *number >= 0)
}

/// A pod's completion index.
pub(super) fn of(pod: &Pod) -> Option<i32> {
    note(pod, INDEX)
}

/// A pod's index, if the Job still has that one.
pub(super) fn valid(pod: &Pod, spec: &JobSpec) -> Option<i32> {
    of(pod).filter(|index| *index < spec.completions.unwrap_or(0))
}

/// How often pods of the index failed before this one: what counts, and what does not.
pub(super) fn failures(pod: &Pod) -> (i32, i32) {
    (note(pod, FAILURES).unwrap_or(0), note(pod, IGNORED).unwrap_or(0))
}

/// Makes a template's pod the one of `index`: label, annotation, host name and environment.
pub(super) fn give(pod: &mut Pod, job: &Job, index: i32) {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let meta = &mut pod.metadata;
    meta.generate_name = Some(prefix(name, index));
    meta.annotations.get_or_insert_default().insert(INDEX.to_owned(), index.to_string());
    meta.labels.get_or_insert_default().insert(INDEX.to_owned(), index.to_string());
    let Some(spec) = &mut pod.spec else { return };
    spec.hostname = Some(format!("{name}-{index}"));
    spec.init_containers.iter_mut().flatten().chain(&mut spec.containers).for_each(tell);
}

/// The variable by which a container knows its index.
fn tell(container: &mut Container) {
    const NAME: &str = "JOB_COMPLETION_INDEX";
    let env = container.env.get_or_insert_default();
    if env.iter().any(|it| it.name == NAME) {
        return;
    }
    let field_path = format!("metadata.labels['{INDEX}']");
    let field_ref = Some(ObjectFieldSelector { api_version: None, field_path });
    env.push(EnvVar {
        name: NAME.to_owned(),
        value_from: Some(EnvVarSource { field_ref, ..EnvVarSource::default() }),
        ..EnvVar::default()
    });
}

/// What the API server puts its five letters after; the Job's name gives way to the number.
fn prefix(job: &str, index: i32) -> String {
    const LONGEST: usize = 58;
    let end = format!("-{index}-");
    let kept: String = job.chars().take(LONGEST.saturating_sub(end.len())).collect();
    kept + &end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_a_row_are_an_interval_and_two_are_not() {
        let some = Indexes::default().with([6, 0, 2, 1, 4, 7]);
        assert_eq!(some.to_string(), "0-2,4,6,7");
        assert_eq!(Indexes::parse("0-2,4,6,7", 100), some);
        assert_eq!(some.total(), 6);
        assert_eq!(some.first_missing(3, 100), [3, 5, 8]);
        assert_eq!(some.first_missing(3, 6), [3, 5]);
    }

    #[test]
    fn what_is_beyond_the_completions_does_not_count() {
        assert_eq!(Indexes::parse("0-9,12", 5).to_string(), "0-4");
        assert_eq!(Indexes::parse("", 5), Indexes::default());
        assert_eq!(Indexes::parse("1,3-5", 9).common(&Indexes::parse("4-8", 9)), 2);
    }

    #[test]
    fn a_long_name_gives_way_to_the_number() {
        assert_eq!(prefix("a", 12), "a-12-");
        assert_eq!(prefix(&"a".repeat(63), 12).len(), 58);
    }
}
