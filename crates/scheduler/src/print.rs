//! Which number do equal things share, and others hardly ever?
//!
//! Eight bytes at a time: it is asked for every pod. What shares a number is compared in full before it counts as equal.

/// A running fingerprint.
#[derive(Clone, Copy, Default)]
pub(crate) struct Print(u64);

impl Print {
    /// Adds a number.
    pub(crate) fn number(&mut self, number: u64) {
        // The multiplier is that of splitmix64's increment: odd, and no simple pattern of bits.
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.number(u64::from_le_bytes(*word)));
        let last = rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
        self.number(last ^ (bytes.len() as u64).rotate_left(56));
    }

    /// The fingerprint of all that was added.
    pub(crate) fn finish(self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_text_has_another_print() {
        let print = |text| {
            let mut print = Print::default();
            print.text(text);
            print.finish()
        };
        assert_ne!(print("app"), print("app\0"));
        assert_ne!(print("topology"), print("topology.kubernetes.io/zone"));
    }
}
