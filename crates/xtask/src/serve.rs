//! How does a folder look from a browser, served as a static host would?
//!
//! [`Server`] answers GET and HEAD on 127.0.0.1, below a sub-path as GitHub Pages does, with the media types a page needs to
//! start and with the policy that `index.html` itself declares. Nothing is cached. Paths never leave the folder.
//! It knows no TLS, no ranges and no keep-alive. Source: RFC 9110; media types from the IANA registry.
#![expect(clippy::disallowed_methods, reason = "a server on this machine: one thread for each connection")]

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    site: Arc<Site>,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Site {
    folder: PathBuf,
    sub_path: String,
}

impl Server {
    /// Serves `folder` below `sub_path` (it begins and ends with `/`); port 0 takes a free one.
    ///
    /// # Errors
    /// The port is taken, or the folder does not exist.
    pub fn start(folder: &Path, sub_path: &str, port: u16) -> io::Result<Server> {
        let site = Arc::new(Site { folder: folder.canonicalize()?, sub_path: sub_path.to_owned() });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let (shared, stop) = (Arc::clone(&site), Arc::clone(&stopping));
        let accepting = thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let site = Arc::clone(&shared);
                // A browser that goes away in the middle of an answer is its own affair.
                thread::spawn(move || drop(site.answer(&connection)));
            }
        });
        Ok(Server { address, site, stopping, accepting: Some(accepting) })
    }

    /// The page's address, with the final `/`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.site.sub_path)
    }

    /// Waits until the process is ended from outside.
    pub fn wait(mut self) {
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // `accept` returns only for a connection: make one.
        if TcpStream::connect(self.address).is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            drop(accepting.join());
        }
    }
}

impl Site {
    fn answer(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut lines = BufReader::new(connection).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        // The headers must be read before the connection closes, or the client sees it reset.
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let response = self.respond(method, target);
        let mut out = connection;
        out.write_all(response.head().as_bytes())?;
        if method != "HEAD" {
            out.write_all(&response.body)?;
        }
        out.flush()
    }

    fn respond(&self, method: &str, target: &str) -> Response {
        if method != "GET" && method != "HEAD" {
            return Response::text("405 Method Not Allowed", "only GET and HEAD are answered here");
        }
        let path = target.split(['?', '#']).next().unwrap_or_default();
        if path == "/" || format!("{path}/") == self.sub_path {
            return Response { location: Some(self.sub_path.clone()), ..Response::text("302 Found", "") };
        }
        let Some(file) = path.strip_prefix(&self.sub_path).and_then(|rest| self.file(rest)) else {
            return Response::text("404 Not Found", "there is no such file");
        };
        let Ok(body) = std::fs::read(&file) else {
            return Response::text("404 Not Found", "there is no such file");
        };
        let media_type = media_type(&file);
        let policy =
            if media_type.starts_with("text/html") { policy(&String::from_utf8_lossy(&body)) } else { None };
        Response { status: "200 OK", media_type, policy, location: None, body }
    }

    /// The file a path below the sub-path means, or nothing if it would leave the folder.
    fn file(&self, rest: &str) -> Option<PathBuf> {
        let decoded = percent_decoded(rest)?;
        let mut file = self.folder.clone();
        for segment in decoded.split('/').filter(|segment| !segment.is_empty()) {
            if segment == ".." || segment.contains(['\\', '\0']) {
                return None;
            }
            file.push(segment);
        }
        if file.is_dir() {
            file.push("index.html");
        }
        let file = file.canonicalize().ok()?;
        file.starts_with(&self.folder).then_some(file)
    }
}

struct Response {
    status: &'static str,
    media_type: &'static str,
    policy: Option<String>,
    location: Option<String>,
    body: Vec<u8>,
}

impl Response {
    fn text(status: &'static str, body: &str) -> Response {
        let media_type = "text/plain; charset=utf-8";
        Response { status, media_type, policy: None, location: None, body: body.as_bytes().to_vec() }
    }

    fn head(&self) -> String {
        let mut head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n",
            self.status,
            self.media_type,
            self.body.len()
        );
        if let Some(policy) = &self.policy {
            head.push_str(&format!("Content-Security-Policy: {policy}\r\n"));
        }
        if let Some(location) = &self.location {
            head.push_str(&format!("Location: {location}\r\n"));
        }
        head + "\r\n"
    }
}

/// The media type of a file by its ending.
fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "yaml" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The Content-Security-Policy that a page declares in its own `<meta>`.
pub fn policy(html: &str) -> Option<String> {
    let meta = html.split("<meta").find(|meta| meta.contains("http-equiv=\"Content-Security-Policy\""))?;
    let content = meta.split_once("content=\"")?.1.split_once('"')?.0;
    Some(content.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_site() -> Site {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().expect("the crate's own folder");
        Site { folder, sub_path: "/podpath/".to_owned() }
    }

    #[test]
    fn file_below_the_sub_path_is_found_with_its_media_type() {
        let response = crate_site().respond("GET", "/podpath/src/serve.rs?x=1");
        assert_eq!((response.status, response.media_type), ("200 OK", "application/octet-stream"));
        assert!(response.body.starts_with(b"//! How does a folder look"));
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        for target in [
            "/podpath/../../Cargo.toml",
            "/podpath/%2e%2e/%2e%2e/Cargo.toml",
            "/podpath/..%5c..",
            "/etc/passwd",
        ] {
            assert_eq!(crate_site().respond("GET", target).status, "404 Not Found", "{target}");
        }
    }

    #[test]
    fn the_root_and_the_bare_sub_path_lead_to_the_page() {
        for target in ["/", "/podpath"] {
            assert_eq!(crate_site().respond("GET", target).location.as_deref(), Some("/podpath/"));
        }
    }

    #[test]
    fn wasm_has_the_type_that_streaming_compilation_asks_for() {
        assert_eq!(media_type(Path::new("a/web_bg.wasm")), "application/wasm");
    }

    #[test]
    fn policy_is_read_from_the_page() {
        let page = "<meta charset=utf-8><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'self';\n  img-src data:\">";
        assert_eq!(policy(page).as_deref(), Some("default-src 'self'; img-src data:"));
        assert_eq!(policy("<meta charset=utf-8>"), None);
    }
}
