//! gloo-net in the page: what an app in Rust has without this library.
//!
//! It sends by the handle of the browser's own WebSocket: gloo-net itself makes each binary message a `Blob`, which takes several times as long.

#[cfg(target_family = "wasm")]
mod app {
    #![expect(unreachable_pub, reason = "wasm-bindgen exports public items")]

    use std::cell::{Cell, RefCell};

    use futures::StreamExt;
    use gloo_net::websocket::{Message, State, futures::WebSocket};
    use onesocket_bench_page::{
        PONG, Quote,
        page::{Received, now},
    };
    use wasm_bindgen::{JsError, JsValue, prelude::wasm_bindgen};
    use wasm_bindgen_futures::spawn_local;

    struct App {
        is_quotes: bool,
        handle: web_sys::WebSocket,
        socket: WebSocket,
    }

    thread_local! {
        static APP: RefCell<Option<App>> = const { RefCell::new(None) };
        static LAST: Cell<u64> = const { Cell::new(0) };
    }

    /// Connects; `kind` says what the messages are.
    #[wasm_bindgen]
    pub async fn connect(kind: String, url: String) -> Result<(), JsError> {
        let handle = web_sys::WebSocket::new(&url).map_err(error)?;
        let mut socket = WebSocket::try_from(handle.clone())?;
        // It says by its sink alone when it is open.
        std::future::poll_fn(|cx| {
            futures::Sink::<Message>::poll_ready(std::pin::Pin::new(&mut socket), cx)
        })
        .await?;
        if !matches!(socket.state(), State::Open) {
            return Err(JsError::new("the socket did not open"));
        }
        APP.set(Some(App {
            is_quotes: kind == "quotes",
            handle,
            socket,
        }));
        Ok(())
    }

    /// Asks for `count` messages and reads them.
    #[wasm_bindgen]
    pub async fn receive(count: u32) -> Result<String, JsError> {
        let mut app = take()?;
        let mut received = Received::default();
        let start = now();
        app.handle.send_with_u8_array(b"go").map_err(error)?;
        while received.count() < u64::from(count) {
            let message = message(&mut app.socket).await?;
            if app.is_quotes {
                received.quote(&postcard::from_bytes(&message)?);
            } else {
                received.frame(&message);
            }
        }
        let ms = now() - start;
        APP.set(Some(app));
        Ok(received.report(ms))
    }

    /// Sends 64 bytes and waits for them, `each` times in each of `groups`; returns the milliseconds of each group.
    #[wasm_bindgen]
    pub async fn echo(groups: u32, each: u32) -> Result<Vec<f64>, JsError> {
        let mut app = take()?;
        let mut times = Vec::new();
        for _ in 0..groups {
            let start = now();
            for number in 0..each {
                let ball = [number as u8; 64];
                app.handle.send_with_u8_array(&ball).map_err(error)?;
                if message(&mut app.socket).await? != ball {
                    return Err(JsError::new("another message than was sent"));
                }
            }
            times.push(now() - start);
        }
        APP.set(Some(app));
        Ok(times)
    }

    /// Answers the pings of the server.
    #[wasm_bindgen]
    pub async fn answer() -> Result<(), JsError> {
        let mut app = take()?;
        app.handle.send_with_u8_array(b"go").map_err(error)?;
        spawn_local(async move {
            while message(&mut app.socket).await.is_ok() {
                if app.handle.send_with_u8_array(&PONG).is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Sends `count` quotes and waits until the server says that it has them.
    #[wasm_bindgen]
    pub async fn upstream(count: u32) -> Result<f64, JsError> {
        let mut app = take()?;
        let start = now();
        for number in 0..count {
            let bytes = postcard::to_allocvec(&Quote::numbered(number.into()))?;
            app.handle.send_with_u8_array(&bytes).map_err(error)?;
        }
        message(&mut app.socket).await?;
        let ms = now() - start;
        APP.set(Some(app));
        Ok(ms)
    }

    /// Connects to a feed that is running, resolves with the time of its first message, and reads on.
    #[wasm_bindgen]
    pub async fn first(url: String) -> Result<f64, JsError> {
        let mut socket = WebSocket::open(&url)?;
        message(&mut socket).await?;
        let at = now();
        spawn_local(async move {
            while let Ok(bytes) = message(&mut socket).await {
                if let Ok(quote) = postcard::from_bytes::<Quote>(&bytes) {
                    LAST.set(quote.number);
                }
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

    async fn message(socket: &mut WebSocket) -> Result<Vec<u8>, JsError> {
        match socket.next().await {
            Some(Ok(Message::Bytes(bytes))) => Ok(bytes),
            Some(Ok(Message::Text(_))) => Err(JsError::new("text")),
            Some(Err(error)) => Err(error.into()),
            None => Err(JsError::new("the connection was lost")),
        }
    }

    fn error(error: JsValue) -> JsError {
        JsError::new(&format!("{error:?}"))
    }
}

fn main() {}
