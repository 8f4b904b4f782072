//! How does eksctl say what it is about to do?
//!
//! Source: eksctl `pkg/utils/tasks/tasks.go` (`TaskTree.Describe`).

/// A task, or several.
pub(super) enum Task {
    /// One, in its words.
    One(String),
    /// One after the other, or all at once.
    Tree {
        /// Whether all at once.
        parallel: bool,
        /// Whether it stands inside a task that the words count as one.
        sub: bool,
        /// What it is made of.
        tasks: Vec<Task>,
    },
}

impl Task {
    /// Several at once.
    pub fn parallel(tasks: Vec<Task>) -> Self {
        Self::Tree { parallel: true, sub: false, tasks }
    }

    /// One after the other.
    pub fn sequential(tasks: Vec<Task>) -> Self {
        Self::Tree { parallel: false, sub: false, tasks }
    }

    /// The same, counted as one.
    pub fn counted_as_one(self) -> Self {
        match self {
            Self::Tree { parallel, tasks, .. } => Self::Tree { parallel, sub: true, tasks },
            one @ Self::One(_) => one,
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Tree { tasks, .. } if tasks.is_empty())
    }

    /// In eksctl's words, without a line break at the end.
    pub fn describe(&self) -> String {
        let (parallel, sub, tasks) = match self {
            Self::One(words) => return words.clone(),
            Self::Tree { parallel, sub, tasks } => (*parallel, *sub, tasks),
        };
        let all: Vec<String> = tasks.iter().map(Task::describe).collect();
        let noun = if sub { "sub-task" } else { "task" };
        match all.as_slice() {
            [] => "no tasks".to_owned(),
            [one] if sub => one.clone(),
            [one] => format!("1 {noun}: {{ {one} }}"),
            many => {
                let mode = if parallel { "parallel" } else { "sequential" };
                let head = format!("{} {mode} {noun}s: {{ ", many.len());
                if !sub {
                    return format!("\n{head}{} \n}}", many.join(", "));
                }
                let lines: String = many.iter().map(|it| format!("{},\n", indented(it))).collect();
                format!("\n    {head}\n{lines}    }}")
            }
        }
    }
}

/// A task inside: one level deeper.
fn indented(task: &str) -> String {
    if !task.contains("sub-task") {
        return format!("        {task}");
    }
    let lines = task.strip_prefix('\n').unwrap_or(task).split('\n').map(|line| format!("    {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(words: &str) -> Task {
        Task::One(words.to_owned())
    }

    #[test]
    fn a_tree_is_described_as_eksctl_does() {
        // eksctl `pkg/utils/tasks/tasks_test.go`.
        assert_eq!(Task::sequential(Vec::new()).describe(), "no tasks");
        let first = || Task::sequential(vec![one("t1.1")]).counted_as_one();
        assert_eq!(Task::sequential(vec![first()]).describe(), "1 task: { t1.1 }");
        let third = Task::parallel(vec![one("t3.1"), one("t3.2")]).counted_as_one();
        let first = Task::sequential(vec![one("t1.1"), third]).counted_as_one();
        let second = Task::sequential(vec![one("t2.1")]).counted_as_one();
        assert_eq!(
            Task::sequential(vec![first, second]).describe(),
            "\n2 sequential tasks: { \n    2 sequential sub-tasks: { \n        t1.1,\n        2 parallel sub-tasks: { \n            t3.1,\n            t3.2,\n        },\n    }, t2.1 \n}"
        );
    }
}
