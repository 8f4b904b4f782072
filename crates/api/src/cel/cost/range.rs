//! From how much to how much? Sums and products that stop at the largest number.

use std::ops::{Add, Mul};

/// From how much to how much; of costs as of sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cel) struct Range {
    pub(in crate::cel) least: u64,
    pub(in crate::cel) most: u64,
}

/// Where nothing is known.
pub(super) const UNKNOWN: Range = Range { least: 0, most: u64::MAX };

pub(super) const fn fixed(of: u64) -> Range {
    Range { least: of, most: of }
}

impl Range {
    pub(super) fn union(self, other: Range) -> Range {
        Range { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    /// What is looked at only sometimes counts only towards the most.
    pub(super) fn or_more(self, other: Range) -> Range {
        Range { least: self.least, most: (self + other).most }
    }

    /// A part of it for each, rounded up.
    pub(super) fn by(self, factor: f64) -> Range {
        Range { least: by(self.least, factor), most: by(self.most, factor) }
    }
}

impl Add for Range {
    type Output = Range;

    fn add(self, other: Range) -> Range {
        Range { least: self.least.saturating_add(other.least), most: self.most.saturating_add(other.most) }
    }
}

impl Mul for Range {
    type Output = Range;

    fn mul(self, other: Range) -> Range {
        Range { least: self.least.saturating_mul(other.least), most: self.most.saturating_mul(other.most) }
    }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as Go's floats are"
)]
fn by(of: u64, factor: f64) -> u64 {
    let exact = of as f64;
    if exact > 0.0 && factor > 0.0 && exact > u64::MAX as f64 / factor {
        return u64::MAX;
    }
    // A cast stops at the largest number by itself.
    (exact * factor).ceil() as u64
}
