//! Which of them, this time?
//!
//! Randomness is keyed, not streamed: a draw is a hash of seed, purpose, key and number, so that a new draw in one
//! place changes nothing elsewhere.

use api::digest::Digest;

/// A number that looks random and depends on nothing but its arguments.
#[must_use]
pub fn draw(seed: u64, purpose: &str, key: &str, n: u64) -> u64 {
    Digest::default().number(seed).bytes(purpose.as_bytes()).bytes(key.as_bytes()).number(n).finish()
}

/// The alphabet of generated names: no vowels, no look-alikes.
/// Source: apimachinery `util/rand`.
const ALPHANUMS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A suffix of `length` letters as the API server and the controllers generate them.
#[must_use]
pub fn suffix(seed: u64, purpose: &str, key: &str, n: u64, length: usize) -> String {
    let mut bits = draw(seed, purpose, key, n);
    (0..length)
        .map(|_| {
            let letter = ALPHANUMS[usize::try_from(bits % ALPHANUMS.len() as u64).unwrap_or(0)];
            bits /= ALPHANUMS.len() as u64;
            char::from(letter)
        })
        .collect()
}

/// Text in the alphabet of generated names, letter by letter.
/// Source: apimachinery `util/rand`, `SafeEncodeString`.
#[must_use]
pub fn safe_encode(text: &str) -> String {
    text.bytes().map(|byte| char::from(ALPHANUMS[usize::from(byte) % ALPHANUMS.len()])).collect()
}

/// A version-4 UUID.
#[must_use]
pub fn uid(seed: u64, key: &str, n: u64) -> String {
    let a = draw(seed, "uid-a", key, n);
    let b = draw(seed, "uid-b", key, n);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// `length` hexadecimal digits, as in `eni-0…`.
#[must_use]
pub fn hex(seed: u64, purpose: &str, key: &str, n: u64, length: usize) -> String {
    let mut text = String::new();
    let mut part = 0;
    while text.len() < length {
        text.push_str(&format!(
            "{:016x}",
            draw(seed, purpose, key, n.wrapping_mul(1 << 16).wrapping_add(part))
        ));
        part += 1;
    }
    text.truncate(length);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_its_key_alone() {
        assert_eq!(draw(7, "p", "k", 0), draw(7, "p", "k", 0));
        assert_ne!(draw(7, "p", "k", 0), draw(7, "p", "k", 1));
        assert_ne!(draw(7, "p", "k", 0), draw(8, "p", "k", 0));
    }

    #[test]
    fn a_suffix_has_no_vowels() {
        let name = suffix(7, "pod", "default/web", 0, 5);
        assert_eq!(name.len(), 5);
        assert!(!name.contains(['a', 'e', 'i', 'o', 'u', '0', '1', '3']));
    }
}
