//! What the tabs tell each other, and how they connect. The server passes it on to the whole room, in one order for all.

use onesocket_yew::{
    onesocket::{LatestBy, ManagerConfig, Replay},
    prelude::*,
};
use serde::{Deserialize, Serialize};

/// A card as it is from now on. Whole, so that what comes twice after a reconnect changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) id: u64,
    pub(crate) column: usize,
    /// Empty when it is thrown away.
    pub(crate) text: String,
}

/// Where somebody's pointer is, as parts of the board.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) who: u64,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

pub(crate) const COLUMNS: [&str; 3] = ["To do", "Doing", "Done"];

/// The cards: a tab that joins is told what the others were told.
pub(crate) fn cards() -> ClientBuilder<Card, Card> {
    Client::builder("/chat?room=board", Json)
        .replay(Replay::Last {
            messages: 1_000,
            bytes: 1024 * 1024,
        })
        .worker(worker())
}

/// The cursors: of those that a busy page has not read, only the latest of each tab counts.
pub(crate) fn cursors() -> ClientBuilder<Cursor, Cursor> {
    Client::builder("/chat?room=cursors", Json)
        .latest_by(LatestBy::JsonMember("who".into()))
        .worker(worker())
}

/// The document names the worker's script: Trunk and the repository's own build name it differently.
fn worker() -> ManagerConfig {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.document_element());
    let script = root.and_then(|root| root.get_attribute("data-worker"));
    let config = ManagerConfig::default();
    match script {
        Some(script) => config.script(script),
        None => config,
    }
}

/// A number that no other tab has; it survives JSON.
pub(crate) fn random() -> u64 {
    (js_sys::Math::random() * 9e15) as u64
}
