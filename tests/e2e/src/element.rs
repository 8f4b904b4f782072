//! What does a person, or their screen reader, see there?
//!
//! Elements are found by role and accessible name as the browser itself computes them, also inside shadow roots. Clicks and keys
//! are real input events at the element's place: what is covered or off the screen cannot be clicked.
//! Source: WAI-ARIA roles; the DevTools protocol's Accessibility domain.

use crate::devtools;
use fantoccini::Client;
use fantoccini::error::CmdError;
use serde_json::{Value, json};

/// One element of the page, as the accessibility tree has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// Its role, for example `button`.
    pub role: String,
    /// Its accessible name.
    pub name: String,
    /// Its value, where it has one: what is typed into a text box, the place of a slider.
    pub value: String,
    node: i64,
}

impl Element {
    /// All elements of a role, in the order of the page.
    pub(crate) async fn all(client: &Client, role: &str) -> Result<Vec<Element>, CmdError> {
        let document =
            devtools::call(client, "Runtime.evaluate", json!({ "expression": "document" })).await?;
        let query = json!({ "objectId": document["result"]["objectId"], "role": role });
        let found = devtools::call(client, "Accessibility.queryAXTree", query).await?;
        let nodes =
            found["nodes"].as_array().into_iter().flatten().filter(|node| node["ignored"] == json!(false));
        Ok(nodes.map(Element::of).collect())
    }

    fn of(node: &Value) -> Element {
        let text = |name: &str| match &node[name]["value"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Element {
            role: text("role"),
            name: text("name"),
            value: text("value"),
            node: node["backendDOMNodeId"].as_i64().unwrap_or_default(),
        }
    }

    /// Calls a function of JavaScript with the element as `this`.
    pub(crate) async fn call(&self, client: &Client, function: &str) -> Result<Value, CmdError> {
        let node = devtools::call(client, "DOM.resolveNode", json!({ "backendNodeId": self.node })).await?;
        let call = json!({
            "objectId": node["object"]["objectId"],
            "functionDeclaration": function,
            "returnByValue": true,
            "awaitPromise": true,
        });
        let answer = devtools::call(client, "Runtime.callFunctionOn", call).await?;
        Ok(answer["result"]["value"].clone())
    }

    /// Brings it into view and presses the mouse's button in its middle; the error names what lies above it.
    pub(crate) async fn click(&self, client: &Client) -> Result<Result<(), String>, CmdError> {
        let place = self
            .call(
                client,
                "function () {
                    const element = this.nodeType === 1 ? this : this.parentElement;
                    element.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
                    const box = element.getBoundingClientRect();
                    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                    let top = document.elementFromPoint(x, y);
                    while (top?.shadowRoot?.elementFromPoint(x, y) && top.shadowRoot.elementFromPoint(x, y) !== top)
                        top = top.shadowRoot.elementFromPoint(x, y);
                    const labels = [...(element.labels ?? [])];
                    const hit = top && (element.contains(top) || top.contains(element) || labels.some((l) => l.contains(top)));
                    return { x, y, over: hit ? '' : top ? top.outerHTML.slice(0, 200) : 'nothing: it is off the screen' };
                }",
            )
            .await?;
        if let Some(over) = place["over"].as_str().filter(|over| !over.is_empty()) {
            return Ok(Err(format!("{over} lies at its place")));
        }
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let (button, count) = if kind == "mouseMoved" { ("none", 0) } else { ("left", 1) };
            let event = json!({ "type": kind, "x": place["x"], "y": place["y"], "button": button, "clickCount": count });
            devtools::call(client, "Input.dispatchMouseEvent", event).await?;
        }
        Ok(Ok(()))
    }
}
