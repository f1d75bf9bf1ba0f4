//! What a connection is made from.

use std::{cell::RefCell, time::Duration};

use js_sys::Uint8Array;
use litemap::LiteMap;
use onesocket::{
    Backoff, BuildError, Client, ClientBuilder, GiveUp, Heartbeat, ManagerConfig, Millis, Payload,
    QueueLimits, Replay, Tier, Wake, WorkerManager, codec::Raw,
};
use wasm_bindgen::prelude::*;

use crate::auth::Provider;

#[wasm_bindgen]
extern "C" {
    /// An object of JavaScript's; `core.js` makes it, and gives each of these a value.
    pub type Settings;

    #[wasm_bindgen(method, getter)]
    fn url(this: &Settings) -> String;
    #[wasm_bindgen(method, getter)]
    fn protocols(this: &Settings) -> Vec<String>;
    #[wasm_bindgen(method, getter)]
    fn account(this: &Settings) -> String;
    /// Whether it has one socket and ends with that, as a `WebSocket` does.
    #[wasm_bindgen(method, getter)]
    fn once(this: &Settings) -> bool;
    /// How long the socket outlives its last tab.
    #[wasm_bindgen(method, getter)]
    fn linger(this: &Settings) -> Option<u32>;
    /// With how many bytes on their way a sender may still go on.
    #[wasm_bindgen(method, getter, js_name = readyAt)]
    fn ready_at(this: &Settings) -> Option<u32>;
    /// How many of the last messages a tab gets that joins.
    #[wasm_bindgen(method, getter)]
    fn replay(this: &Settings) -> u32;
    #[wasm_bindgen(method, getter)]
    fn auth(this: &Settings) -> Option<Provider>;
    #[wasm_bindgen(method, getter)]
    fn heartbeat(this: &Settings) -> Option<HeartbeatSettings>;
    #[wasm_bindgen(method, getter)]
    fn answer(this: &Settings) -> Option<AnswerSettings>;
    /// The close codes after which dialling again is pointless.
    #[wasm_bindgen(method, getter, js_name = fatalCodes)]
    fn fatal_codes(this: &Settings) -> Option<Vec<u16>>;
    /// The close codes by which the server refuses a credential.
    #[wasm_bindgen(method, getter, js_name = authCodes)]
    fn auth_codes(this: &Settings) -> Option<Vec<u16>>;
    #[wasm_bindgen(method, getter)]
    fn tier(this: &Settings) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn script(this: &Settings) -> String;
    #[wasm_bindgen(method, getter)]
    fn name(this: &Settings) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn build(this: &Settings) -> f64;
    /// How many milliseconds a worker may take for its welcome.
    #[wasm_bindgen(method, getter, js_name = helloTimeout)]
    fn hello_timeout(this: &Settings) -> Option<u32>;

    /// Its times are in milliseconds, its messages strings or `Uint8Array`s.
    pub type HeartbeatSettings;

    #[wasm_bindgen(method, getter)]
    fn interval(this: &HeartbeatSettings) -> u32;
    #[wasm_bindgen(method, getter)]
    fn deadline(this: &HeartbeatSettings) -> Option<u32>;
    #[wasm_bindgen(method, getter)]
    fn ping(this: &HeartbeatSettings) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn pong(this: &HeartbeatSettings) -> JsValue;

    /// What the server's own ping is answered with; both are strings or `Uint8Array`s.
    pub type AnswerSettings;

    #[wasm_bindgen(method, getter)]
    fn ping(this: &AnswerSettings) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn pong(this: &AnswerSettings) -> JsValue;
}

impl Settings {
    pub(crate) fn connect(&self) -> Result<Client<Payload, Payload>, BuildError> {
        let mut builder = Client::builder(self.url(), Raw)
            .account(self.account())
            .worker(self.worker());
        for protocol in self.protocols() {
            builder = builder.subprotocol(protocol);
        }
        if let Some(tier) = self.tier().and_then(|tier| tier.parse::<Tier>().ok()) {
            builder = builder.tier(tier);
        }
        if self.replay() > 0 {
            builder = builder.replay(Replay::Last {
                messages: self.replay(),
                bytes: REPLAY_BYTES,
            });
        }
        if let Some(bytes) = self.ready_at() {
            builder = builder.ready_at(bytes as usize);
        }
        if let Some(provider) = self.auth() {
            builder = provider.install(builder);
        }
        if let Some(heartbeat) = self.heartbeat() {
            builder = builder.heartbeat(heartbeat.read());
        }
        if let Some(answer) = self.answer() {
            builder = builder.answer(payload(&answer.ping()), payload(&answer.pong()));
        }
        if let Some(codes) = self.fatal_codes() {
            builder = builder.fatal_codes(codes);
        }
        if let Some(codes) = self.auth_codes() {
            builder = builder.auth_codes(codes);
        }
        if self.once() {
            builder = one_socket(builder);
        }
        if let Some(millis) = self.linger() {
            builder = builder.linger(Duration::from_millis(millis.into()));
        }
        builder.build()
    }

    /// Keeps the worker for as long as the page lives. A library that has lost its socket has none until it dials again, and when the
    /// garbage collector comes by just then, the worker would end; where this tab leads, with the sockets of all tabs.
    pub(crate) fn keep(&self, manager: &WorkerManager) {
        let key = (self.script(), self.name(), self.tier());
        KEPT.with_borrow_mut(|kept| {
            kept.entry(key).or_insert_with(|| manager.clone());
        });
    }

    fn worker(&self) -> ManagerConfig {
        let mut config = ManagerConfig::default()
            .script(self.script())
            .build(self.build() as u64);
        if let Some(name) = self.name() {
            config = config.name(name);
        }
        if let Some(millis) = self.hello_timeout() {
            config = config.hello_timeout(Duration::from_millis(millis.into()));
        }
        config
    }
}

impl HeartbeatSettings {
    fn read(&self) -> Heartbeat {
        let interval = Duration::from_millis(self.interval().into());
        let mut heartbeat = Heartbeat::every(interval, payload(&self.ping()));
        if let Some(millis) = self.deadline() {
            heartbeat = heartbeat.deadline(Duration::from_millis(millis.into()));
        }
        if !self.pong().is_undefined() {
            heartbeat = heartbeat.pong(payload(&self.pong()));
        }
        heartbeat
    }
}

/// The payload of a string or a `Uint8Array`.
pub(crate) fn payload(data: &JsValue) -> Payload {
    match data.as_string() {
        Some(text) => Payload::text(text),
        None => Payload::binary(Uint8Array::new(data).to_vec()),
    }
}

thread_local! {
    static KEPT: RefCell<LiteMap<WorkerKey, WorkerManager>> = const { RefCell::new(LiteMap::new()) };
}

/// Script, name and tier: what differs in one of them has another worker.
type WorkerKey = (String, Option<String>, Option<String>);

/// Makes a connection that is one socket: it dials once, and nothing but the server, the network or the app ends it.
fn one_socket(builder: ClientBuilder<Payload, Payload>) -> ClientBuilder<Payload, Payload> {
    builder
        .give_up(GiveUp {
            attempts: Some(1),
            after: None,
        })
        .backoff(Backoff {
            // However long it was open, the dial that it came of is the only one.
            stable_after: Millis(u32::MAX),
            ..Backoff::default()
        })
        .connect_timeout(CONNECT_TIMEOUT)
        .fatal_codes([])
        .auth_codes([])
        .wake(Wake {
            replace_after: None,
            ..Wake::default()
        })
        // All that could wait was sent between the socket's end and the news of it, and would go out on a socket that nobody has seen.
        .queue(QueueLimits {
            messages: 0,
            ..QueueLimits::default()
        })
}

/// Browsers have limits of their own, from 20 s (Firefox) on; this one is for those that have none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(300);

const REPLAY_BYTES: u32 = 1024 * 1024;
