//! The library, used as an app does: a typed client, its events, its codec for postcard.

#[cfg(target_family = "wasm")]
mod app {
    #![expect(unreachable_pub, reason = "wasm-bindgen exports public items")]

    use std::cell::{Cell, RefCell};

    use bytes::Bytes;
    use onesocket::{Client, Events, ManagerConfig, Payload, codec};
    use onesocket_bench_page::{
        PING, PONG, Quote,
        events::{connected, message},
        page::{Received, now},
    };
    use wasm_bindgen::{JsError, prelude::wasm_bindgen};
    use wasm_bindgen_futures::spawn_local;

    type Quotes = (Client<Quote, Quote>, Events<Quote>);
    type Frames = (Client<[u8], Bytes>, Events<Bytes>);

    enum App {
        Quotes(Quotes),
        Frames(Frames),
    }

    thread_local! {
        static APP: RefCell<Option<App>> = const { RefCell::new(None) };
        static LAST: Cell<u64> = const { Cell::new(0) };
    }

    /// Connects; `kind` says what the messages are.
    #[wasm_bindgen]
    pub async fn connect(kind: String, url: String, tier: String) -> Result<(), JsError> {
        let tier = tier.parse()?;
        let app = if kind == "quotes" {
            let client = Client::builder(url, codec::Postcard).tier(tier).build()?;
            let mut events = client.events();
            connected(&mut events).await?;
            App::Quotes((client, events))
        } else {
            let mut builder = Client::builder(url, codec::Bytes).tier(tier);
            if kind == "pings" {
                let [ping, pong] = [PING, PONG].map(|message| Payload::binary(message.to_vec()));
                builder = builder.answer(ping, pong);
            }
            let client = builder.build()?;
            let mut events = client.events();
            connected(&mut events).await?;
            App::Frames((client, events))
        };
        APP.set(Some(app));
        Ok(())
    }

    /// Asks for `count` messages and reads them.
    #[wasm_bindgen]
    pub async fn receive(count: u32) -> Result<String, JsError> {
        let mut app = take()?;
        let mut received = Received::default();
        let start = now();
        match &mut app {
            App::Quotes((client, events)) => {
                drop(client.send(&Quote::numbered(0)));
                while received.count() < u64::from(count) {
                    received.quote(&message(events).await?);
                }
            }
            App::Frames((client, events)) => {
                drop(client.send(b"go"));
                while received.count() < u64::from(count) {
                    received.frame(&message(events).await?);
                }
            }
        }
        let ms = now() - start;
        APP.set(Some(app));
        Ok(received.report(ms))
    }

    /// Sends 64 bytes and waits for them, `each` times in each of `groups`; returns the milliseconds of each group.
    #[wasm_bindgen]
    pub async fn echo(groups: u32, each: u32) -> Result<Vec<f64>, JsError> {
        let App::Frames((client, mut events)) = take()? else {
            return Err(JsError::new("not connected to an echo"));
        };
        let mut times = Vec::new();
        for _ in 0..groups {
            let start = now();
            for number in 0..each {
                let ball = [number as u8; 64];
                drop(client.send(&ball));
                if message(&mut events).await?[..] != ball {
                    return Err(JsError::new("another message than was sent"));
                }
            }
            times.push(now() - start);
        }
        APP.set(Some(App::Frames((client, events))));
        Ok(times)
    }

    /// Asks for the server's pings, which the worker answers.
    #[wasm_bindgen]
    pub async fn answer() -> Result<(), JsError> {
        let App::Frames((client, events)) = take()? else {
            return Err(JsError::new("not connected for pings"));
        };
        client.send(b"go").await?;
        APP.set(Some(App::Frames((client, events))));
        Ok(())
    }

    /// Sends `count` quotes and waits until the server says that it has them.
    #[wasm_bindgen]
    pub async fn upstream(count: u32) -> Result<f64, JsError> {
        let App::Quotes((client, mut events)) = take()? else {
            return Err(JsError::new("not connected for quotes"));
        };
        let start = now();
        for number in 0..count {
            drop(client.send(&Quote::numbered(number.into())));
        }
        message(&mut events).await?;
        let ms = now() - start;
        APP.set(Some(App::Quotes((client, events))));
        Ok(ms)
    }

    /// Connects to a feed that is running, resolves with the time of its first message, and reads on.
    #[wasm_bindgen]
    pub async fn first(url: String, tier: String, script: String) -> Result<f64, JsError> {
        let client: Client<Quote, Quote> = Client::builder(url, codec::Postcard)
            .worker(ManagerConfig::default().script(script))
            .tier(tier.parse()?)
            .build()?;
        let mut events = client.events();
        connected(&mut events).await?;
        message(&mut events).await?;
        let at = now();
        spawn_local(async move {
            let _client = client;
            while let Ok(quote) = message(&mut events).await {
                LAST.set(quote.number);
            }
        });
        Ok(at)
    }

    /// The number of the last message of the feed.
    #[wasm_bindgen]
    pub fn last() -> f64 {
        LAST.get() as f64
    }

    fn take() -> Result<App, JsError> {
        APP.take().ok_or_else(|| JsError::new("not connected"))
    }
}

fn main() {}
