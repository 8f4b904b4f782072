//! How are calls made that WebDriver does not have?
//!
//! Chromedriver passes DevTools calls through and gives out the console's log; both are its own commands.
//! Source: chromedriver's documentation, `/goog/cdp/execute` and `/se/log`; the DevTools protocol.

use fantoccini::Client;
use fantoccini::elements::ElementRef;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::{ParseError, Url};

#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _request_url: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

#[derive(Debug)]
struct Get {
    path: String,
}

impl WebDriverCompatibleCommand for Get {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _request_url: &Url) -> (http::Method, Option<String>) {
        (http::Method::GET, None)
    }
}

/// One call of the DevTools protocol, by its name there.
pub(crate) async fn call(client: &Client, name: &str, parameters: Value) -> Result<Value, CmdError> {
    client
        .issue_cmd(Post { path: "goog/cdp/execute", body: json!({ "cmd": name, "params": parameters }) })
        .await
}

/// What the console has said since this was last asked: level and message.
pub(crate) async fn console(client: &Client) -> Result<Vec<(String, String)>, CmdError> {
    let log = client.issue_cmd(Post { path: "se/log", body: json!({ "type": "browser" }) }).await?;
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let entries = log.as_array().into_iter().flatten();
    Ok(entries.map(|entry| (text(entry, "level"), text(entry, "message"))).collect())
}

/// What WebDriver computes of an element: `computedrole` or `computedlabel`.
pub(crate) async fn computed(client: &Client, element: &ElementRef, what: &str) -> Result<String, CmdError> {
    let answer = client.issue_cmd(Get { path: format!("element/{}/{what}", &**element) }).await?;
    Ok(answer.as_str().unwrap_or_default().to_owned())
}
