//! The votes, and how they are told. The server passes them on to the whole room, in one order for all.

use std::collections::BTreeMap;

use onesocket::{BuildError, Client, ManagerConfig, Replay, codec::Json};
use serde::{Deserialize, Serialize};

/// What a tab votes from now on: what comes twice after a reconnect changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Vote {
    pub(crate) voter: u64,
    pub(crate) option: usize,
}

/// The last vote of each tab.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Poll(BTreeMap<u64, usize>);

pub(crate) const QUESTION: &str = "Where should the socket live?";
pub(crate) const OPTIONS: [&str; 3] = ["In a SharedWorker", "In a Worker", "In the page"];

impl Poll {
    pub(crate) fn take(&mut self, vote: &Vote) {
        self.0.insert(vote.voter, vote.option);
    }

    pub(crate) fn total(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn votes(&self, option: usize) -> usize {
        self.0.values().filter(|&&voted| voted == option).count()
    }

    pub(crate) fn of(&self, voter: u64) -> Option<usize> {
        self.0.get(&voter).copied()
    }
}

/// Connects; a tab that joins is told the votes so far.
pub(crate) fn connect() -> Result<Client<Vote, Vote>, BuildError> {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.document_element());
    let script = root.and_then(|root| root.get_attribute("data-worker"));
    let worker = ManagerConfig::default();
    Client::builder("/chat?room=poll", Json)
        .replay(Replay::Last {
            messages: 1_000,
            bytes: 64 * 1024,
        })
        .worker(match script {
            // Trunk and the repository's own build name it differently.
            Some(script) => worker.script(script),
            None => worker,
        })
        .build()
}

/// A number that no other tab has; it survives JSON.
pub(crate) fn voter() -> u64 {
    (js_sys::Math::random() * 9e15) as u64
}
