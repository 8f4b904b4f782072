//! How much does a visitor download?

use crate::{assets, bundle, dist, tool};
use anyhow::Result;
use std::io::Write as _;
use std::path::Path;

/// One row of the table; bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Size {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

/// `cargo xtask size`.
pub fn run() -> Result<()> {
    let folder = tool::target().join("page/dist");
    dist::make(&bundle::build(bundle::Purpose::Ship)?, &folder)?;
    print(&folder)
}

/// Prints raw, gzip and brotli sizes of a folder's files: by kind, before the first effect, and in all.
pub fn print(folder: &Path) -> Result<()> {
    let (mut rows, mut first, mut all) = (Vec::<(String, Size)>::new(), Size::default(), Size::default());
    for file in assets::files_below(folder)? {
        let size = Size::of(&std::fs::read(&file)?)?;
        let name = file.strip_prefix(folder)?.display().to_string();
        all.add(size);
        // The editor comes when it is first shown, texts when they are first asked for; everything else is needed to start.
        if !name.starts_with("editor") && !name.ends_with(".z") {
            first.add(size);
        }
        rows.push((name, size));
    }
    rows.sort_by_key(|(_, size)| std::cmp::Reverse(size.raw));
    println!("{:<34} {:>12} {:>12} {:>12}", "bytes", "raw", "gzip", "brotli");
    for (name, size) in rows
        .iter()
        .map(|(name, size)| (name.as_str(), size))
        .chain([("before first effect", &first), ("all", &all)])
    {
        println!("{name:<34} {:>12} {:>12} {:>12}", size.raw, size.gzip, size.brotli);
    }
    Ok(())
}

impl Size {
    fn of(bytes: &[u8]) -> Result<Size> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(bytes)?;
        let mut packed = Vec::new();
        let quality = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
        brotli::BrotliCompress(&mut &*bytes, &mut packed, &quality)?;
        Ok(Size { raw: bytes.len(), gzip: gzip.finish()?.len(), brotli: packed.len() })
    }

    fn add(&mut self, other: Size) {
        self.raw += other.raw;
        self.gzip += other.gzip;
        self.brotli += other.brotli;
    }
}
