//! What a scenario says about a client, as JSON.

use std::time::Duration;

use onesocket::{
    Backoff, Client, ClientBuilder, ClimbBack, Codec, Credential, DebugLevel, GiveUp, Heartbeat,
    LatestBy, ManagerConfig, Payload, QueueLimits, Replay, ScriptKind, Start, Tier, TierPolicy,
    Wake,
};
use serde::Deserialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::{JsFuture, js_sys::Promise};

#[wasm_bindgen]
extern "C" {
    /// What a scenario has put there: it resolves with a token, or with something else to decline.
    #[wasm_bindgen(js_namespace = provider, js_name = ask)]
    fn ask(refused: bool, failed: u32) -> Promise;
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    url: String,
    #[serde(default)]
    pub(crate) account: String,
    #[serde(default)]
    subprotocols: Vec<String>,
    #[serde(default)]
    pub(crate) codec: CodecName,
    base_ms: Option<u64>,
    cap_ms: Option<u64>,
    stable_ms: Option<u64>,
    connect_timeout_ms: Option<u64>,
    give_up_attempts: Option<u32>,
    fatal_codes: Option<Vec<u16>>,
    heartbeat: Option<HeartbeatConfig>,
    /// The server's ping, and what the worker answers.
    answer: Option<[String; 2]>,
    wake_deadline_ms: Option<u64>,
    auth: Option<AuthConfig>,
    auth_codes: Option<Vec<u16>>,
    queue_messages: Option<u32>,
    queue_bytes: Option<u32>,
    queue_timeout_ms: Option<u64>,
    linger_ms: Option<u64>,
    max_received_bytes: Option<u32>,
    #[serde(default)]
    latest: bool,
    /// Counts the frames of a feed instead of keeping them.
    #[serde(default)]
    pub(crate) counts: bool,
    #[serde(default)]
    pub(crate) hears: Hears,
    /// How long the page is busy with each message.
    #[serde(default)]
    pub(crate) busy_ms: f64,
    replay_last: Option<u32>,
    replay_ask: Option<String>,
    #[serde(default)]
    worker: WorkerConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CodecName {
    #[default]
    Raw,
    Json,
    Transcoded,
}

/// How a client of payloads hears of messages, each of which has ways of its own through the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hears {
    /// By a stream.
    #[default]
    Stream,
    /// By a stream behind somebody who looks for answers, and finds none.
    Answers,
    /// By a listener.
    Listener,
    /// By a stream and a listener, of which the latter is reported.
    Both,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeartbeatConfig {
    every_ms: u64,
    deadline_ms: u64,
    ping: String,
    pong: Option<String>,
}

/// Where the page's `credential()` is put.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthConfig {
    part: AuthPart,
    timeout_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AuthPart {
    Query,
    Url,
    Subprotocol,
    First,
}

impl AuthPart {
    fn credential(self, token: &str) -> Credential {
        match self {
            Self::Query => Credential::query("token", token),
            Self::Url => Credential::url(token),
            Self::Subprotocol => Credential::subprotocol(format!("bearer.{token}")),
            Self::First => Credential::first_message(Payload::text(format!("token:{token}"))),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkerConfig {
    tier: Option<String>,
    script: Option<String>,
    name: Option<String>,
    #[serde(default)]
    build: u64,
    #[serde(default)]
    module: bool,
    hello_timeout_ms: Option<u64>,
    ack_timeout_ms: Option<u64>,
    share_dedicated: Option<bool>,
    probe_timeout_ms: Option<u64>,
    /// The first wait and the longest; 0 for never.
    climb_back_ms: Option<(u64, u64)>,
    #[serde(default)]
    debug: String,
    #[serde(default)]
    lazy: bool,
}

impl Config {
    pub(crate) fn builder<Tx, Rx>(
        &self,
        codec: impl Codec<Tx, Rx> + 'static,
    ) -> Result<ClientBuilder<Tx, Rx>, String>
    where
        Tx: ?Sized + 'static,
        Rx: 'static,
    {
        let mut builder = Client::builder(&self.url, codec)
            .account(&self.account)
            .worker(self.worker.manager()?);
        for subprotocol in &self.subprotocols {
            builder = builder.subprotocol(subprotocol);
        }
        let defaults = Backoff::default();
        builder = builder.backoff(Backoff {
            base: self
                .base_ms
                .map_or(defaults.base, |ms| Duration::from_millis(ms).into()),
            cap: self
                .cap_ms
                .map_or(defaults.cap, |ms| Duration::from_millis(ms).into()),
            stable_after: self
                .stable_ms
                .map_or(defaults.stable_after, |ms| Duration::from_millis(ms).into()),
            spread: defaults.spread,
        });
        let limits = QueueLimits::default();
        builder = builder.queue(QueueLimits {
            messages: self.queue_messages.unwrap_or(limits.messages),
            bytes: self.queue_bytes.unwrap_or(limits.bytes),
            timeout: self
                .queue_timeout_ms
                .map_or(limits.timeout, |ms| Some(Duration::from_millis(ms).into())),
        });
        if let Some(ms) = self.connect_timeout_ms {
            builder = builder.connect_timeout(Duration::from_millis(ms));
        }
        if let Some(attempts) = self.give_up_attempts {
            builder = builder.give_up(GiveUp {
                attempts: Some(attempts),
                after: None,
            });
        }
        if let Some(codes) = &self.fatal_codes {
            builder = builder.fatal_codes(codes.iter().copied());
        }
        if let Some(heartbeat) = &self.heartbeat {
            let mut set = Heartbeat::every(
                Duration::from_millis(heartbeat.every_ms),
                Payload::text(&heartbeat.ping),
            )
            .deadline(Duration::from_millis(heartbeat.deadline_ms));
            if let Some(pong) = &heartbeat.pong {
                set = set.pong(Payload::text(pong));
            }
            builder = builder.heartbeat(set);
        }
        if let Some([ping, pong]) = &self.answer {
            builder = builder.answer(Payload::text(ping), Payload::text(pong));
        }
        if let Some(ms) = self.wake_deadline_ms {
            builder = builder.wake(Wake {
                deadline: Duration::from_millis(ms).into(),
                ..Wake::default()
            });
        }
        if let Some(auth) = &self.auth {
            let part = auth.part;
            builder = builder.auth(move |request| {
                let token = ask(request.refused, request.failed);
                async move {
                    let token = JsFuture::from(token).await.ok()?.as_string()?;
                    Some(part.credential(&token))
                }
            });
            if let Some(ms) = auth.timeout_ms {
                builder = builder.auth_timeout(Duration::from_millis(ms));
            }
        }
        if let Some(codes) = &self.auth_codes {
            builder = builder.auth_codes(codes.iter().copied());
        }
        if let Some(ms) = self.linger_ms {
            builder = builder.linger(Duration::from_millis(ms));
        }
        if let Some(bytes) = self.max_received_bytes {
            builder = builder.max_received_bytes(bytes);
        }
        if self.latest {
            builder = builder.latest_by(LatestBy::Any);
        }
        if let Some(messages) = self.replay_last {
            builder = builder.replay(Replay::Last {
                messages,
                bytes: 1024 * 1024,
            });
        }
        if let Some(ask) = &self.replay_ask {
            builder = builder.replay(Replay::Ask(Payload::text(ask)));
        }
        Ok(builder)
    }
}

impl WorkerConfig {
    fn manager(&self) -> Result<ManagerConfig, String> {
        let mut config = ManagerConfig::default().debug(debug_level(&self.debug)?);
        if let Some(tier) = &self.tier {
            let tier: Tier = tier.parse().map_err(|error| format!("{error}"))?;
            config = config.tiers(TierPolicy::Forced(tier));
        }
        if let Some(script) = &self.script {
            config = config.script(script);
        }
        if let Some(name) = &self.name {
            config = config.name(name);
        }
        config = config.build(self.build);
        if self.module {
            config = config.script_kind(ScriptKind::Module);
        }
        if let Some(ms) = self.hello_timeout_ms {
            config = config.hello_timeout(Duration::from_millis(ms));
        }
        if let Some(ms) = self.ack_timeout_ms {
            config = config.ack_timeout(Duration::from_millis(ms));
        }
        if let Some(ms) = self.probe_timeout_ms {
            config = config.probe_timeout(Duration::from_millis(ms));
        }
        if let Some((first, cap)) = self.climb_back_ms {
            let [first, cap] = [first, cap].map(Duration::from_millis);
            config = config.climb_back((!first.is_zero()).then_some(ClimbBack { first, cap }));
        }
        if let Some(share) = self.share_dedicated {
            config = config.share_dedicated(share);
        }
        if self.lazy {
            config = config.start(Start::Lazy);
        }
        Ok(config)
    }
}

pub(crate) fn debug_level(text: &str) -> Result<DebugLevel, String> {
    match text {
        "" | "off" => Ok(DebugLevel::Off),
        "messages" => Ok(DebugLevel::Messages),
        "payloads" => Ok(DebugLevel::Payloads),
        other => Err(format!("no debug level {other:?}")),
    }
}
