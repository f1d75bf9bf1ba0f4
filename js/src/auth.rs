//! Credentials, as JavaScript supplies them.

use std::rc::Rc;

use onesocket::{ClientBuilder, Credential, Payload};
use wasm_bindgen::prelude::*;

use crate::settings::payload;

#[wasm_bindgen]
extern "C" {
    /// An object of JavaScript's that supplies credentials.
    pub type Provider;

    /// Resolves to a credential, or to `null`. It never throws.
    #[wasm_bindgen(method)]
    async fn supply(this: &Provider, refused: bool, failed: u32) -> JsValue;

    /// An object of JavaScript's with one of these.
    pub type Supplied;

    /// A name and a value.
    #[wasm_bindgen(method, getter)]
    fn query(this: &Supplied) -> Option<Vec<String>>;
    #[wasm_bindgen(method, getter)]
    fn url(this: &Supplied) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn subprotocol(this: &Supplied) -> Option<String>;
    /// A string or a `Uint8Array`.
    #[wasm_bindgen(method, getter, js_name = firstMessage)]
    fn first_message(this: &Supplied) -> JsValue;
}

impl Provider {
    pub(crate) fn install(
        self,
        builder: ClientBuilder<Payload, Payload>,
    ) -> ClientBuilder<Payload, Payload> {
        let provider = Rc::new(self);
        builder.auth(move |request| {
            let provider = Rc::clone(&provider);
            async move {
                let supplied = provider.supply(request.refused, request.failed).await;
                match supplied.is_null() {
                    true => None,
                    false => supplied.unchecked_into::<Supplied>().read(),
                }
            }
        })
    }
}

impl Supplied {
    /// `None` for a query that is no pair: what stands in its place would go out to the server.
    fn read(&self) -> Option<Credential> {
        let credential = if let Some(query) = self.query() {
            let [name, value] = <[String; 2]>::try_from(query).ok()?;
            Credential::query(name, value)
        } else if let Some(url) = self.url() {
            Credential::url(url)
        } else if let Some(subprotocol) = self.subprotocol() {
            Credential::subprotocol(subprotocol)
        } else {
            Credential::first_message(payload(&self.first_message()))
        };
        Some(credential)
    }
}
