//! The library with messages in JSON, which the page reads, or its worker. A page of its own: an app has one codec, and pays for no other.

#[cfg(target_family = "wasm")]
mod app {
    #![expect(unreachable_pub, reason = "wasm-bindgen exports public items")]

    use std::cell::RefCell;

    use onesocket::{Client, Events, ManagerConfig, codec};
    use onesocket_bench_page::{
        Ticker,
        events::{connected, message},
        page::{Received, now},
    };
    use wasm_bindgen::{JsError, prelude::wasm_bindgen};

    type App = (Client<str, Ticker>, Events<Ticker>);

    thread_local! {
        static APP: RefCell<Option<App>> = const { RefCell::new(None) };
    }

    /// Connects; `kind` says who reads the JSON.
    #[wasm_bindgen]
    pub async fn connect(kind: String, url: String, tier: String) -> Result<(), JsError> {
        // The same worker and the same codec for both: the account alone says what the worker does.
        let account = if kind == "json" { "" } else { Ticker::ACCOUNT };
        let client = Client::builder(url, codec::Transcoded)
            .worker(ManagerConfig::default().script("bench-worker.js"))
            .tier(tier.parse()?)
            .account(account)
            .build()?;
        let mut events = client.events();
        connected(&mut events).await?;
        APP.set(Some((client, events)));
        Ok(())
    }

    /// Asks for `count` messages and reads them.
    #[wasm_bindgen]
    pub async fn receive(count: u32) -> Result<String, JsError> {
        let app = APP.take();
        let (client, mut events) = app.ok_or_else(|| JsError::new("not connected"))?;
        let mut received = Received::default();
        let start = now();
        drop(client.send("go"));
        while received.count() < u64::from(count) {
            received.ticker(&message(&mut events).await?);
        }
        let ms = now() - start;
        APP.set(Some((client, events)));
        Ok(received.report(ms))
    }
}

fn main() {}
