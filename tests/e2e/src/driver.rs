//! Who steers the browser?
//!
//! One chromedriver for each page, on a port that it chooses itself, so that journeys can run side by side.

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A running chromedriver; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    pub(crate) fn start() -> Driver {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|failure| panic!("chromedriver: {failure}: `cargo verify` installs it"));
        let output = process.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines);
        let port = output.map_while(Result::ok).find_map(|line| {
            // UPSTREAM: "ChromeDriver was started successfully on port 36207."
            line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        match port {
            Some(port) => Driver { process, port },
            None => panic!("chromedriver ended before it named its port"),
        }
    }

    /// A browser with a new, empty profile.
    pub(crate) async fn browser(&self) -> Client {
        let address = format!("http://127.0.0.1:{}", self.port);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities());
        builder.connect(&address).await.unwrap_or_else(|failure| panic!("Chromium did not start: {failure}"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Those of `web/webdriver.json`, which the unit tests in the browser use too, and the console's log.
fn capabilities() -> Map<String, Value> {
    let shared: Value = serde_json::from_str(include_str!("../../../web/webdriver.json"))
        .expect("web/webdriver.json is JSON");
    let mut capabilities = shared.as_object().cloned().expect("web/webdriver.json is an object");
    capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
    capabilities
}
