//! Which 64-bit number stands for these bytes, on every machine and in every version?
//!
//! FNV-1a over explicit bytes, finished with a mixer: a derived `Hash` differs between native and WASM.
//! Source: the FNV-1a parameters of RFC 9923; the finisher is that of splitmix64.

/// A running digest over explicit bytes.
#[derive(Clone, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Adds bytes, closed by their length so that neighbours cannot run together.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.number(bytes.len() as u64)
    }

    /// Adds a number, lowest byte first.
    pub fn number(&mut self, number: u64) -> &mut Self {
        for byte in number.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self
    }

    /// The digest of all that was added.
    #[must_use]
    pub fn finish(&self) -> u64 {
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_strings_do_not_run_together() {
        let one = Digest::default().bytes(b"ab").bytes(b"c").finish();
        let other = Digest::default().bytes(b"a").bytes(b"bc").finish();
        assert_ne!(one, other);
    }
}
