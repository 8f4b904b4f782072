//! Which long texts does the page bring, and which one is missing?
//!
//! THE REGISTRY of [`Asset`]s. Each is a file beside the page: its name and `.z`, packed with zlib as `cargo xtask texts` does it.

use api::asset::Asset;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// Every text that may come later.
pub static ASSETS: [&Asset; 2] = [&api::schema::DESCRIPTIONS, &shell::HELP];

/// Most bytes that a text may have.
const LONGEST: usize = 4 << 20;

/// Forgets who asked for which text so far.
pub fn forget() {
    ASSETS.iter().for_each(|asset| asset.forget());
}

/// The text that was asked for since [`forget`] and is missing, if one is.
#[must_use]
pub fn missed() -> Option<&'static Asset> {
    ASSETS.into_iter().find(|asset| asset.is_missed())
}

/// Brings a text as it is packed.
///
/// # Errors
/// It is not what `cargo xtask texts` packs.
pub fn bring(asset: &Asset, packed: &[u8]) -> Result<(), Damaged> {
    let text = decompress_to_vec_zlib_with_limit(packed, LONGEST).map_err(|_| Damaged)?;
    let text = String::from_utf8(text).map_err(|_| Damaged)?;
    // A host that knows no such file may answer with a page of its own.
    if text.is_empty() {
        return Err(Damaged);
    }
    asset.bring(text);
    Ok(())
}

/// What came is not the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the text that was asked for")]
pub struct Damaged;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_brought_as_it_is_packed() {
        static WORDS: Asset = Asset::brought("words");
        assert_eq!(bring(&WORDS, b"<!doctype html>"), Err(Damaged));
        let packed = miniz_oxide::deflate::compress_to_vec_zlib("파드".as_bytes(), 9);
        assert_eq!((bring(&WORDS, &packed), WORDS.text()), (Ok(()), "파드"));
    }

    #[test]
    fn a_program_that_is_no_page_misses_nothing() {
        forget();
        assert!(ASSETS.iter().all(|asset| !asset.text().is_empty()));
        assert!(missed().is_none());
    }
}
