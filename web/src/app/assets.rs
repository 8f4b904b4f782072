//! Bringing the long texts that the page does not carry.
//!
//! A text is fetched when it is first asked for: by a line, which waits for it, or by the editor. Whoever waits sees that they do.

use api::asset::Asset;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use lab::assets;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::Context;

use super::{Action, App};
use crate::dom::asset_address;

impl App {
    /// Fetches the text without which the session cannot go on.
    pub(super) fn bring_what_is_missed(&mut self, context: &Context<Self>) {
        if let Some(asset) = self.desk.misses() {
            self.bring(context, asset);
        }
    }

    /// Fetches a text, unless it is here or on its way.
    pub(super) fn bring(&mut self, context: &Context<Self>, asset: &'static Asset) {
        if asset.is_here() || self.on_their_way.contains(&asset.name) {
            return;
        }
        self.on_their_way.push(asset.name);
        let link = context.link().clone();
        spawn_local(async move {
            let there = fetched(asset.name).await.is_ok_and(|it| assets::bring(asset, &it).is_ok());
            link.send_message(Action::Brought(asset.name, there));
        });
    }
}

/// The file as it is kept beside the page.
async fn fetched(name: &str) -> Result<Vec<u8>, JsValue> {
    let address = asset_address(name).ok_or(JsValue::NULL)?;
    let podpath = Reflect::get(&js_sys::global(), &"podpath".into())?;
    let bytes: Function = Reflect::get(&podpath, &"bytes".into())?.dyn_into()?;
    let promise: Promise = bytes.call1(&podpath, &address.into())?.dyn_into()?;
    let bytes: Uint8Array = JsFuture::from(promise).await?.dyn_into()?;
    Ok(bytes.to_vec())
}
