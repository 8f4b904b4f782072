//! What is the answer to a check?
//!
//! Three-valued, with what there is, what was wanted, which object comes nearest and why it is not so: data, from which words
//! are made at the edge.

/// Three-valued truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It is not so.
    #[default]
    No,
    /// Nobody can tell yet.
    Unknown,
    /// It is so.
    Yes,
}

impl Truth {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// One of them.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }
}

impl std::ops::Not for Truth {
    type Output = Self;
    fn not(self) -> Self {
        match self {
            Truth::No => Truth::Yes,
            Truth::Unknown => Truth::Unknown,
            Truth::Yes => Truth::No,
        }
    }
}

impl From<bool> for Truth {
    fn from(so: bool) -> Self {
        if so { Truth::Yes } else { Truth::No }
    }
}

/// The answer to a check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Whether it is so.
    pub ok: Truth,
    /// What there is: a number of objects, or the value of the field that differs.
    pub got: Option<String>,
    /// What was wanted in its place.
    pub want: Option<String>,
    /// The object that comes nearest, as `Pod/web-7c`.
    pub nearest: Option<String>,
    /// Why not.
    pub why: Option<Why>,
    /// The answers of the parts of `all` and `any`.
    pub parts: Vec<Outcome>,
}

/// Why a check is not satisfied; words are made from it at the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no such object at all.
    Nothing {
        /// Such as `Pod`.
        what: String,
    },
    /// The nearest object differs here.
    Differs {
        /// Such as `Pod/web-7c`.
        object: String,
        /// Such as `status.phase`.
        field: String,
    },
    /// It should be gone.
    StillThere {
        /// Such as `Pod/web-7c`.
        object: String,
    },
    /// Too many or too few.
    Number,
    /// No such event or refusal has been seen.
    NotSeen {
        /// Such as `FailedScheduling`.
        reason: String,
    },
    /// The learner has not done so.
    NotDone {
        /// Such as `trace`.
        action: String,
    },
    /// The question has no answer, or another one.
    NotAnswered {
        /// Which question.
        id: String,
    },
    /// Two values differ.
    Unequal,
    /// A value is not remembered yet.
    NotRemembered {
        /// Its name.
        name: String,
    },
    /// What should not be so is so.
    Unwanted,
    /// The packet's way is another.
    Path,
}

impl Outcome {
    pub(super) fn of(ok: Truth, why: Why) -> Self {
        Self { ok, why: (ok != Truth::Yes).then_some(why), ..Self::default() }
    }

    /// The first part, however deep, that is not satisfied; itself if it has no parts.
    #[must_use]
    pub fn first_open(&self) -> &Outcome {
        self.parts.iter().find(|part| part.ok != Truth::Yes).map_or(self, Outcome::first_open)
    }
}
