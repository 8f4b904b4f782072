//! How do the long texts get beside the page?
//!
//! What the API's fields mean is made by `crates/api/build.rs`, kubectl's help lies beside the code that prints it; the page carries
//! neither (`api::asset`). Here each becomes a file of its own, packed, because not every static host packs what it serves.

use crate::{install, tool};
use anyhow::{Context as _, Result, bail};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where they are put. The path does not follow CARGO_TARGET_DIR: index.html names it, for trunk.
fn folder() -> PathBuf {
    tool::root().join("target/texts")
}

/// `cargo xtask texts`: what trunk calls.
pub fn run() -> Result<()> {
    install::wasm_target()?;
    build_and_pack(&mut tool::cargo(&["build", "--target", "wasm32-unknown-unknown", "--package", "api"]))
}

/// Builds by a command that builds the crate `api` too, and packs the texts into `target/texts`.
pub fn build_and_pack(cargo: &mut Command) -> Result<()> {
    cargo.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let said = cargo.output().context("cargo")?;
    if !said.status.success() {
        bail!("`cargo build` failed ({})", said.status);
    }
    let made = out_dir(&String::from_utf8_lossy(&said.stdout))
        .context("crates/api/build.rs did not say where it writes")?;
    let help = tool::root().join("crates/shell/src/kubectl/help.txt");
    std::fs::create_dir_all(folder())?;
    for (name, source) in [("fields", made.join("descriptions.txt")), ("help", help)] {
        let text = std::fs::read(&source).with_context(|| source.display().to_string())?;
        write_if_new(&folder().join(format!("{name}.z")), &packed(&text)?)?;
    }
    Ok(())
}

/// The folder of what the build script of `api` wrote, from cargo's messages.
fn out_dir(said: &str) -> Option<PathBuf> {
    let messages = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut ran = messages.filter(|it| {
        let package = it["package_id"].as_str().unwrap_or_default();
        it["reason"] == "build-script-executed" && package.contains("/crates/api#")
    });
    ran.find_map(|it| it["out_dir"].as_str().map(PathBuf::from))
}

fn packed(text: &[u8]) -> Result<Vec<u8>> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(text)?;
    Ok(packer.finish()?)
}

/// A file that is the same keeps its time: what watches it need not begin anew.
fn write_if_new(file: &Path, content: &[u8]) -> Result<()> {
    if std::fs::read(file).is_ok_and(|there| there == content) {
        return Ok(());
    }
    std::fs::write(file, content).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_the_build_script_is_found_among_cargos_messages() {
        let said = r#"{"reason":"compiler-artifact","package_id":"path+file:///home/me/podpath/crates/api#0.1.0"}
{"reason":"build-script-executed","package_id":"registry+https://github.com/rust-lang/crates.io-index#serde@1.0.0","out_dir":"/a"}
{"reason":"build-script-executed","package_id":"path+file:///home/me/podpath/crates/api#0.1.0","out_dir":"/b"}
not JSON"#;
        assert_eq!(out_dir(said), Some(PathBuf::from("/b")));
        assert_eq!(out_dir(""), None);
    }
}
