//! A WebSocket in a worker of gloo-worker: what such a worker does for an app that wants its socket off the main thread.

use bytes::Bytes;
use futures::{StreamExt as _, channel::mpsc};
use gloo_worker::{HandlerId, Spawnable as _, Worker, WorkerBridge, WorkerScope};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsError;

use crate::path::{GlooNet, Path};

/// The worker. Its messages are in gloo-worker's own encoding.
#[derive(Debug, Default)]
pub struct Relay {
    handle: Option<web_sys::WebSocket>,
}

/// What the page asks for.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// A socket.
    Open(String),
    /// To send a message on it.
    Send(Bytes),
}

/// What the worker tells.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// The socket is open.
    Opened,
    /// A message of the server.
    Message(Bytes),
    /// Nothing more will come.
    Lost(String),
}

/// What the worker tells itself.
#[derive(Debug)]
pub enum Note {
    /// The socket is open, and this sends.
    Opened(web_sys::WebSocket),
    /// The page has heard of it.
    Told,
}

impl Worker for Relay {
    type Message = Note;
    type Input = Ask;
    type Output = Tell;

    fn create(_: &WorkerScope<Self>) -> Self {
        Self::default()
    }

    fn update(&mut self, _: &WorkerScope<Self>, note: Note) {
        if let Note::Opened(handle) = note {
            self.handle = Some(handle);
        }
    }

    fn received(&mut self, scope: &WorkerScope<Self>, ask: Ask, id: HandlerId) {
        match ask {
            Ask::Open(url) => {
                let own = scope.clone();
                scope.send_future(async move {
                    relay(&own, id, &url).await;
                    Note::Told
                });
            }
            Ask::Send(message) => {
                let sent = self
                    .handle
                    .as_ref()
                    .map(|it| it.send_with_u8_array(&message));
                if !matches!(sent, Some(Ok(()))) {
                    scope.respond(id, Tell::Lost("it could not be sent".to_owned()));
                }
            }
        }
    }
}

async fn relay(scope: &WorkerScope<Relay>, id: HandlerId, url: &str) {
    let Ok(mut path) = GlooNet::open(url).await else {
        return scope.respond(id, Tell::Lost("it did not open".to_owned()));
    };
    scope.send_message(Note::Opened(path.handle.clone()));
    scope.respond(id, Tell::Opened);
    while let Ok(message) = path.message().await {
        scope.respond(id, Tell::Message(message.into()));
    }
    scope.respond(id, Tell::Lost("it was closed".to_owned()));
}

/// The page's end.
#[expect(missing_debug_implementations, reason = "gloo has none to show")]
pub struct GlooWorker {
    bridge: WorkerBridge<Relay>,
    told: mpsc::UnboundedReceiver<Tell>,
}

impl Path for GlooWorker {
    async fn open(url: &str) -> Result<Self, JsError> {
        let (tell, mut told) = mpsc::unbounded();
        let bridge = Relay::spawner()
            .with_loader(true)
            .as_module(false)
            .callback(move |what| drop(tell.unbounded_send(what)))
            .spawn(SCRIPT);
        bridge.send(Ask::Open(url.to_owned()));
        match told.next().await {
            Some(Tell::Opened) => Ok(Self { bridge, told }),
            _ => Err(JsError::new("the socket did not open")),
        }
    }

    fn send(&self, message: &[u8]) -> Result<(), JsError> {
        self.bridge.send(Ask::Send(Bytes::copy_from_slice(message)));
        Ok(())
    }

    async fn message(&mut self) -> Result<Vec<u8>, JsError> {
        match self.told.next().await {
            Some(Tell::Message(message)) => Ok(message.into()),
            Some(Tell::Lost(why)) => Err(JsError::new(&why)),
            Some(Tell::Opened) | None => Err(JsError::new("the worker is gone")),
        }
    }
}

const SCRIPT: &str = "bench-gloo-relay.js";
