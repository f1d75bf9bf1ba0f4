//! What the pages say to the server, which returns it, and how they connect.

use std::time::Duration;

use onesocket::{
    Backoff, Client, ClientBuilder, Event, LinkState, ManagerConfig, Pace, RequestId, TierPolicy,
    codec::Json,
};
use serde::{Deserialize, Serialize, Serializer};

/// A message, or a request and its answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    #[serde(serialize_with = "text_or_not")]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) id: Option<u64>,
}

impl Note {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            id: None,
        }
    }

    pub(crate) fn question(id: RequestId, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            id: Some(id.0),
        }
    }
}

/// Writes what cannot be read when it is asked for.
fn text_or_not<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match text {
        GARBLED => serializer.serialize_u8(0),
        text => serializer.serialize_str(text),
    }
}

/// The text of a note that comes back as no note.
pub(crate) const GARBLED: &str = "garbled";

/// Connects to the echo with short waits, in the tier that the address names.
pub(crate) fn config(account: &str) -> ClientBuilder<Note, Note> {
    let backoff = Backoff {
        base: Duration::from_millis(200).into(),
        cap: Duration::from_millis(400).into(),
        ..Backoff::default()
    };
    // What a hook makes of a stream must not depend on what the worker makes of it.
    let mut worker = ManagerConfig::default()
        .hello_timeout(Duration::from_secs(20))
        .pace(Pace::AT_ONCE);
    if let Some(tiers) = tiers() {
        worker = worker.tiers(tiers);
    }
    Client::builder(format!("/echo?account={account}"), Json)
        .account(account)
        .backoff(backoff)
        .linger(Duration::from_millis(300))
        .worker(worker)
        .replies(|note: &Note| note.id.map(RequestId))
}

fn tiers() -> Option<TierPolicy> {
    let search = web_sys::window()?.location().search().ok()?;
    let tier = search.strip_prefix("?tier=")?.parse().ok()?;
    Some(TierPolicy::Forced(tier))
}

/// One word for a state.
pub(crate) fn word(state: &LinkState) -> &'static str {
    match state {
        LinkState::Connecting { .. } => "connecting",
        LinkState::Connected { .. } => "connected",
        LinkState::Reconnecting { .. } => "reconnecting",
        LinkState::Offline { .. } => "offline",
        LinkState::Stopped(_) => "stopped",
        LinkState::NeedsAuth { .. } => "needs-auth",
    }
}

/// What is folded of the messages: how many, and the texts that are no flood.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Heard {
    pub(crate) count: usize,
    pub(crate) texts: Vec<String>,
}

impl Heard {
    pub(crate) fn take<N: AsRef<Note>>(&mut self, event: &Event<N>) {
        if let Event::Message(note) = event {
            let text = &note.as_ref().text;
            self.count += 1;
            if !text.starts_with(FLOOD) {
                self.texts.push(text.clone());
            }
        }
    }
}

/// What the messages of a flood begin with.
pub(crate) const FLOOD: &str = "flood";

/// How many messages a flood has.
pub(crate) const FLOOD_LENGTH: usize = 2_000;
