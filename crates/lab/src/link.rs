//! How does a session travel?
//!
//! As a link: one digit for the version, then header and lines by postcard, zlib, base64url. Lines are written one after
//! the other without a count in front, so that a damaged link still gives every line before the damage. As a file
//! (`.podpath.json`): the same in plain JSON.

use api::SimTime;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use miniz_oxide::{
    deflate::compress_to_vec_zlib,
    inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit},
};
use serde::{Deserialize, Serialize};

use crate::script::Line;

/// Version of what this crate writes.
pub const VERSION: u32 = 1;

/// Most bytes a link may unpack to.
const LARGEST: usize = 8 << 20;

/// Links longer than this are refused by some programs that pass them on: offer the file instead.
pub const LONG_LINK: usize = 6_000;

/// Everything that makes a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// Name of the fixture; empty for a machine without a cluster.
    pub fixture: String,
    /// The lesson's slug, if it is one.
    pub lesson: Option<String>,
    /// What keyed draws start from.
    pub seed: u64,
    /// What was typed.
    pub lines: Vec<Line>,
    /// The moment at which it was shared.
    pub head: SimTime,
}

/// Why a link or file cannot be opened as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Written by a newer version.
    #[error("the link was made by version {version} of its format; this page reads up to {VERSION}")]
    TooNew {
        /// Its version.
        version: u32,
    },
    /// Cut off or changed on the way.
    #[error("the link is damaged: {} lines could be read", good.as_ref().map_or(0, |good| good.lines.len()))]
    Damaged {
        /// The session up to the damage, if even its beginning could be read.
        good: Option<Box<Shared>>,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    fixture: String,
    lesson: Option<String>,
    seed: u64,
    head: u64,
    lines: u32,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    #[serde(flatten)]
    shared: Shared,
}

impl Shared {
    /// The link's payload, as it stands after `#/w/`.
    #[must_use]
    pub fn to_link(&self) -> String {
        let header = Header {
            fixture: self.fixture.clone(),
            lesson: self.lesson.clone(),
            seed: self.seed,
            head: self.head.0,
            lines: u32::try_from(self.lines.len()).unwrap_or(u32::MAX),
        };
        let mut bytes = postcard::to_allocvec(&header).unwrap_or_default();
        let mut before = SimTime::ZERO;
        for line in &self.lines {
            // The wait since the line before: small numbers are short.
            let entry = (line.at.since(before).0, &line.text);
            bytes.extend(postcard::to_allocvec(&entry).unwrap_or_default());
            before = line.at;
        }
        format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(&bytes, 9)))
    }

    /// Reads a payload.
    /// # Errors
    /// A version we do not know, or damage; then with everything that could be read.
    pub fn from_link(link: &str) -> Result<Shared, LinkError> {
        let link = link.trim();
        let digits = link.len() - link.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let Some(first) = link.chars().next().and_then(|c| c.to_digit(10)) else {
            return Err(LinkError::Damaged { good: None });
        };
        // The payload may begin with a digit of its own, so exactly one is the version.
        if first > VERSION && digits > 0 {
            return Err(LinkError::TooNew { version: first });
        }
        let payload = &link[1..];
        let (packed, mut whole) = match URL_SAFE_NO_PAD.decode(payload) {
            Ok(packed) => (packed, true),
            Err(_) => (decode_prefix(payload), false),
        };
        let bytes = match decompress_to_vec_zlib_with_limit(&packed, LARGEST) {
            Ok(bytes) => bytes,
            Err(error) => {
                // A wrong checksum or a missing end: what came out so far may still be good.
                whole = false;
                if error.status == TINFLStatus::HasMoreOutput {
                    return Err(LinkError::Damaged { good: None });
                }
                error.output
            }
        };
        let (shared, complete) = unpack(&bytes).ok_or(LinkError::Damaged { good: None })?;
        if whole && complete { Ok(shared) } else { Err(LinkError::Damaged { good: Some(Box::new(shared)) }) }
    }

    /// The file's text.
    #[must_use]
    pub fn to_file(&self) -> String {
        let file = File { version: VERSION, shared: self.clone() };
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }

    /// Reads a file.
    /// # Errors
    /// A version we do not know, or a text that is no session.
    pub fn from_file(text: &str) -> Result<Shared, LinkError> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|_| LinkError::Damaged { good: None })?;
        match value["version"].as_u64() {
            Some(version) if version > u64::from(VERSION) => {
                Err(LinkError::TooNew { version: u32::try_from(version).unwrap_or(u32::MAX) })
            }
            _ => serde_json::from_value::<File>(value)
                .map(|file| file.shared)
                .map_err(|_| LinkError::Damaged { good: None }),
        }
    }
}

/// Whether somebody can have typed this: not empty, no control characters but newlines and tabs.
fn typed(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t' | '\u{1b}'))
}

/// As much of a payload as decodes: whole groups of four before the first strange character.
fn decode_prefix(payload: &str) -> Vec<u8> {
    let good = payload.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
    let whole = good - good % 4;
    URL_SAFE_NO_PAD.decode(&payload[..whole]).unwrap_or_default()
}

/// Header and as many lines as can be read; whether all of them could.
fn unpack(bytes: &[u8]) -> Option<(Shared, bool)> {
    let (header, mut rest) = postcard::take_from_bytes::<Header>(bytes).ok()?;
    let mut shared = Shared {
        fixture: header.fixture,
        lesson: header.lesson,
        seed: header.seed,
        lines: Vec::new(),
        head: SimTime(header.head),
    };
    let mut at = SimTime::ZERO;
    while shared.lines.len() < header.lines as usize {
        let entry = postcard::take_from_bytes::<(u64, String)>(rest).ok();
        // What was unpacked past a damage is nothing that anybody typed.
        let Some(((wait, text), after)) = entry.filter(|((_, text), _)| typed(text)) else {
            shared.head = at;
            return Some((shared, false));
        };
        at = at + api::SimDuration(wait);
        shared.lines.push(Line { at, text });
        rest = after;
    }
    Some((shared, rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(lines: usize) -> Shared {
        let line = |i: usize| Line {
            at: SimTime(i as u64 * 1_500),
            text: format!("kubectl get pod web-{} -o wide", i * 7919 % 1000),
        };
        Shared {
            fixture: "tiny".to_owned(),
            lesson: Some("ip-slots".to_owned()),
            seed: 7,
            lines: (0..lines).map(line).collect(),
            head: SimTime(90_000),
        }
    }

    #[test]
    fn a_session_survives_the_way_through_a_link_and_a_file() {
        let shared = shared(15);
        assert_eq!(Shared::from_link(&shared.to_link()), Ok(shared.clone()));
        assert_eq!(Shared::from_file(&shared.to_file()), Ok(shared));
    }

    #[test]
    fn fifteen_commands_are_a_short_link() {
        let link = shared(15).to_link();
        assert!(link.len() <= 900, "{} bytes", link.len());
    }

    #[test]
    fn a_link_cut_off_keeps_the_lines_before_the_cut() {
        let link = shared(60).to_link();
        let Err(LinkError::Damaged { good: Some(good) }) = Shared::from_link(&link[..link.len() * 2 / 3])
        else {
            panic!("a cut link must say so")
        };
        assert!(!good.lines.is_empty());
        assert_eq!(good.lines[..], shared(60).lines[..good.lines.len()]);
    }

    #[test]
    fn a_link_of_a_newer_version_says_which() {
        assert_eq!(Shared::from_link("2AAAA"), Err(LinkError::TooNew { version: 2 }));
    }

    #[test]
    fn no_text_makes_the_reader_panic() {
        for text in ["", "1", "é", "1é", "1====", "1AAAAAAAA", "zzzz", "19", "1\u{0}"] {
            assert!(Shared::from_link(text).is_err(), "{text:?}");
        }
    }
}
