//! What a page in Rust does with a peer: the same for each.

use futures::StreamExt as _;
use gloo_net::websocket::{Message, State, futures::WebSocket};
use wasm_bindgen::{JsError, JsValue};
use wasm_bindgen_futures::spawn_local;

use crate::{
    PONG, Quote,
    page::{Received, now},
};

/// A way to the server.
#[expect(
    async_fn_in_trait,
    reason = "a page has one thread, and nobody asks for `Send`"
)]
pub trait Path: Sized + 'static {
    /// Resolves when messages can be sent.
    async fn open(url: &str) -> Result<Self, JsError>;

    /// Sends a binary message.
    fn send(&self, message: &[u8]) -> Result<(), JsError>;

    /// Resolves with the next message of the server.
    async fn message(&mut self) -> Result<Vec<u8>, JsError>;
}

/// What the benchmark makes a page do.
#[expect(missing_debug_implementations, reason = "nor have the paths")]
pub struct App<P> {
    is_quotes: bool,
    path: P,
}

impl<P: Path> App<P> {
    /// Connects; `kind` says what the messages are.
    pub async fn connect(kind: &str, url: &str) -> Result<Self, JsError> {
        Ok(Self {
            is_quotes: kind == "quotes",
            path: P::open(url).await?,
        })
    }

    /// Asks for `count` messages and reads them.
    pub async fn receive(&mut self, count: u32) -> Result<String, JsError> {
        let mut received = Received::default();
        let start = now();
        self.path.send(b"go")?;
        while received.count() < u64::from(count) {
            let message = self.path.message().await?;
            if self.is_quotes {
                received.quote(&postcard::from_bytes(&message)?);
            } else {
                received.frame(&message);
            }
        }
        Ok(received.report(now() - start))
    }

    /// Sends 64 bytes and waits for them, `each` times in each of `groups`; returns the milliseconds of each group.
    pub async fn echo(&mut self, groups: u32, each: u32) -> Result<Vec<f64>, JsError> {
        let mut times = Vec::new();
        for _ in 0..groups {
            let start = now();
            for number in 0..each {
                let ball = [number as u8; 64];
                self.path.send(&ball)?;
                if self.path.message().await? != ball {
                    return Err(JsError::new("another message than was sent"));
                }
            }
            times.push(now() - start);
        }
        Ok(times)
    }

    /// Answers the pings of the server from now on.
    pub fn answer(self) -> Result<(), JsError> {
        let mut path = self.path;
        path.send(b"go")?;
        spawn_local(async move {
            while path.message().await.is_ok() {
                if path.send(&PONG).is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Sends `count` quotes and waits until the server says that it has them.
    pub async fn upstream(&mut self, count: u32) -> Result<f64, JsError> {
        let start = now();
        for number in 0..count {
            let bytes = postcard::to_allocvec(&Quote::numbered(number.into()))?;
            self.path.send(&bytes)?;
        }
        self.path.message().await?;
        Ok(now() - start)
    }

    /// Connects to a feed that is running, resolves with the time of its first message, and reads on.
    pub async fn first(url: &str, read: impl Fn(Quote) + 'static) -> Result<f64, JsError> {
        let mut path = P::open(url).await?;
        path.message().await?;
        let at = now();
        spawn_local(async move {
            while let Ok(bytes) = path.message().await {
                if let Ok(quote) = postcard::from_bytes::<Quote>(&bytes) {
                    read(quote);
                }
            }
        });
        Ok(at)
    }
}

/// gloo-net, wherever it runs.
///
/// It sends by the handle of the browser's own WebSocket: gloo-net itself makes each binary message a `Blob`, which takes several times as long.
#[expect(missing_debug_implementations, reason = "gloo has none to show")]
pub struct GlooNet {
    pub(crate) handle: web_sys::WebSocket,
    socket: WebSocket,
}

impl Path for GlooNet {
    async fn open(url: &str) -> Result<Self, JsError> {
        let handle = web_sys::WebSocket::new(url).map_err(|error| thrown(&error))?;
        let mut socket = WebSocket::try_from(handle.clone())?;
        // It says by its sink alone when it is open.
        std::future::poll_fn(|cx| {
            futures::Sink::<Message>::poll_ready(std::pin::Pin::new(&mut socket), cx)
        })
        .await?;
        if !matches!(socket.state(), State::Open) {
            return Err(JsError::new("the socket did not open"));
        }
        Ok(Self { handle, socket })
    }

    fn send(&self, message: &[u8]) -> Result<(), JsError> {
        let sent = self.handle.send_with_u8_array(message);
        sent.map_err(|error| thrown(&error))
    }

    async fn message(&mut self) -> Result<Vec<u8>, JsError> {
        match self.socket.next().await {
            Some(Ok(Message::Bytes(bytes))) => Ok(bytes),
            Some(Ok(Message::Text(_))) => Err(JsError::new("text")),
            Some(Err(error)) => Err(error.into()),
            None => Err(JsError::new("the connection was lost")),
        }
    }
}

fn thrown(error: &JsValue) -> JsError {
    JsError::new(&format!("{error:?}"))
}

/// Exports what `boot.js` calls, for one way to the server.
#[macro_export]
macro_rules! export {
    ($path:ty) => {
        use std::cell::{Cell, RefCell};

        use wasm_bindgen::{JsError, prelude::wasm_bindgen};

        type App = $crate::path::App<$path>;

        thread_local! {
            static APP: RefCell<Option<App>> = const { RefCell::new(None) };
            static LAST: Cell<u64> = const { Cell::new(0) };
        }

        #[wasm_bindgen]
        pub async fn connect(kind: String, url: String) -> Result<(), JsError> {
            APP.set(Some(App::connect(&kind, &url).await?));
            Ok(())
        }

        #[wasm_bindgen]
        pub async fn receive(count: u32) -> Result<String, JsError> {
            let mut app = take()?;
            let report = app.receive(count).await?;
            APP.set(Some(app));
            Ok(report)
        }

        #[wasm_bindgen]
        pub async fn echo(groups: u32, each: u32) -> Result<Vec<f64>, JsError> {
            let mut app = take()?;
            let times = app.echo(groups, each).await?;
            APP.set(Some(app));
            Ok(times)
        }

        #[wasm_bindgen]
        pub fn answer() -> Result<(), JsError> {
            take()?.answer()
        }

        #[wasm_bindgen]
        pub async fn upstream(count: u32) -> Result<f64, JsError> {
            let mut app = take()?;
            let ms = app.upstream(count).await?;
            APP.set(Some(app));
            Ok(ms)
        }

        #[wasm_bindgen]
        pub async fn first(url: String) -> Result<f64, JsError> {
            App::first(&url, |quote| LAST.set(quote.number)).await
        }

        #[wasm_bindgen]
        pub fn last() -> f64 {
            LAST.get() as f64
        }

        fn take() -> Result<App, JsError> {
            APP.take().ok_or_else(|| JsError::new("not connected"))
        }
    };
}
