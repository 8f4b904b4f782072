//! Which files make the page?
//!
//! `index.html` says so, by the `<link data-trunk …>` elements that trunk reads too: [`Page::read`] gives the files they name,
//! [`Page::html`] is the page with those links turned into what a browser understands. It does not know about hashed names.
//! Source: the asset types of trunk's guide (rust, css, icon, copy-file, copy-dir).
#![expect(clippy::disallowed_types, reason = "files on a real machine have times")]

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// `index.html`, read.
pub struct Page {
    /// The page as a browser gets it, with plain file names.
    pub html: String,
    /// The files and folders it needs, as paths from the top of the repository.
    pub files: Vec<PathBuf>,
}

impl Page {
    /// Reads `index.html` at the top of the repository.
    pub fn read(root: &Path) -> Result<Page> {
        Page::parse(&std::fs::read_to_string(root.join("index.html")).context("index.html")?)
    }

    fn parse(source: &str) -> Result<Page> {
        let (mut html, mut files) = (String::with_capacity(source.len()), Vec::new());
        for line in source.split_inclusive('\n') {
            let Some(link) = line.trim().strip_prefix("<link data-trunk ") else {
                html.push_str(line);
                continue;
            };
            let of = |name| {
                attribute(link, name)
                    .with_context(|| format!("index.html: no {name} in <link data-trunk {link}"))
            };
            let (kind, href) = (of("rel")?, of("href")?);
            let name = href.rsplit('/').next().unwrap_or(href);
            let indent = &line[..line.len() - line.trim_start().len()];
            match kind {
                "rust" => html.push_str(&format!(
                    "{indent}<link rel=\"modulepreload\" href=\"web.js\">\n\
                     {indent}<link rel=\"preload\" href=\"web_bg.wasm\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n"
                )),
                "css" => html.push_str(&format!("{indent}<link rel=\"stylesheet\" href=\"{name}\">\n")),
                "icon" => {
                    let media_type = attribute(link, "type").unwrap_or("image/x-icon");
                    html.push_str(&format!("{indent}<link rel=\"icon\" href=\"{name}\" type=\"{media_type}\">\n"));
                }
                "copy-file" | "copy-dir" => {}
                other => bail!("index.html: the asset type {other:?} is not known here"),
            }
            if kind != "rust" {
                files.push(PathBuf::from(href));
            }
        }
        Ok(Page { html, files })
    }
}

fn attribute<'a>(link: &'a str, name: &str) -> Option<&'a str> {
    link.split_once(&format!("{name}=\""))?.1.split_once('"').map(|(value, _)| value)
}

/// Copies a file, or all below a folder, into `folder` under its own name.
pub fn copy_into(source: &Path, folder: &Path) -> Result<()> {
    let name = source.file_name().with_context(|| format!("{}: no name", source.display()))?;
    let destination = folder.join(name);
    if !source.is_dir() {
        std::fs::copy(source, &destination).with_context(|| format!("{}", source.display()))?;
        return Ok(());
    }
    std::fs::create_dir_all(&destination)?;
    for entry in std::fs::read_dir(source)? {
        copy_into(&entry?.path(), &destination)?;
    }
    Ok(())
}

/// All files below a folder, or the file itself, in order; what is built (`target`, `node_modules`, `dist`) and hidden is left out.
pub fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with('.') && !["target", "node_modules", "dist"].contains(&name) {
            files.extend(files_below(&entry)?);
        }
    }
    Ok(files)
}

/// When the newest file below `path` was changed.
pub fn newest(path: &Path) -> Result<Option<SystemTime>> {
    let mut newest = None;
    for file in files_below(path)? {
        // A file that went away between listing and asking is no change of its own: the folder's next listing tells.
        newest = newest.max(file.metadata().and_then(|metadata| metadata.modified()).ok());
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        crate::tool::root()
    }

    #[test]
    fn every_file_that_the_page_names_exists() {
        let page = Page::read(&root()).expect("index.html");
        for file in page.files.iter().filter(|file| !file.starts_with("target")) {
            assert!(root().join(file).exists(), "index.html names {}, which is not there", file.display());
        }
    }

    #[test]
    fn policy_of_the_page_forbids_inline_scripts_and_styles() {
        let page = Page::read(&root()).expect("index.html");
        let policy = xtask::serve::policy(&page.html).expect("a policy");
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe-inline"), "{policy}");
        assert!(
            !page.html.contains(" style=\"") && !page.html.contains("<style"),
            "an inline style would have no effect"
        );
    }

    #[test]
    fn links_for_trunk_become_links_for_a_browser() {
        let source = "<head>\n  <link data-trunk rel=\"css\" href=\"web/css/a.css\">\n  <link data-trunk rel=\"copy-file\" href=\"web/b.js\">\n</head>\n";
        let page = Page::parse(source).expect("parses");
        assert_eq!(page.html, "<head>\n  <link rel=\"stylesheet\" href=\"a.css\">\n</head>\n");
        assert_eq!(page.files, [Path::new("web/css/a.css"), Path::new("web/b.js")]);
    }

    #[test]
    fn trunk_config_leaves_names_and_scripts_as_the_page_expects() {
        let config = std::fs::read_to_string(root().join("Trunk.toml")).expect("Trunk.toml");
        for line in ["filehash = false", "inject_scripts = false", "no_autoreload = true"] {
            assert!(config.lines().any(|found| found == line), "Trunk.toml needs {line}");
        }
    }
}
