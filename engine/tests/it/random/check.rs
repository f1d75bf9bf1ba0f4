//! What must be true when all faults have ended.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use onesocket_protocol::{LinkState, StopReason};

use super::Run;
use crate::sim::{Outcome, is_numbered};

impl Run {
    pub(super) fn check_end(&mut self) {
        let (sent, refused) = self.check_outcomes();
        self.check_arrivals(&refused);
        self.check_order(&sent);
        let seed = self.seed;
        for chan in self.living_chans() {
            let state = self.sim.status(chan).state;
            self.sim.client(chan).check_tail(&self.sim.conns, seed);
            let gave_up = matches!(state, LinkState::Stopped(StopReason::GaveUp { .. }));
            assert!(
                state.is_connected() || gave_up,
                "seed {seed}: {chan:?} ends as {state:?}"
            );
        }
    }

    /// A connection does not need to be asked to go on, unless it has stopped.
    pub(super) fn check_rest(&mut self) {
        for chan in self.living_chans() {
            let state = self.sim.status(chan).state;
            assert!(
                matches!(
                    state,
                    LinkState::Connected { .. }
                        | LinkState::Stopped(_)
                        | LinkState::NeedsAuth { .. }
                ),
                "seed {}: {chan:?} hangs as {state:?}",
                self.seed
            );
        }
    }

    /// Every send has an outcome. Returns what is said to be sent, and what is said not to be.
    fn check_outcomes(&self) -> (BTreeSet<Bytes>, BTreeSet<Bytes>) {
        let seed = self.seed;
        let (mut sent, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for tab in self.sim.tabs.iter().filter(|tab| tab.alive) {
            assert_eq!(
                tab.session.unsettled_bytes(),
                0,
                "seed {seed}: bytes without a receipt"
            );
            for (id, client) in &tab.clients {
                let told = client.buffered.last().filter(|_| !client.closed);
                assert_eq!(
                    (tab.session.buffered_bytes(*id), told.unwrap_or(&0)),
                    (0, &0),
                    "seed {seed}: a socket is said to hold something"
                );
                assert_eq!(
                    client.unsettled(),
                    [],
                    "seed {seed}: sends without an outcome"
                );
                for (id, payload) in &client.sends {
                    match client.outcomes[id] {
                        Outcome::Sent | Outcome::Acknowledged => {
                            sent.insert(payload.clone());
                        }
                        Outcome::NotSent(_) => drop(refused.insert(payload.clone())),
                        Outcome::MaybeSent => {}
                    }
                }
            }
        }
        for payload in &refused {
            assert!(
                !self.sim.transmitted.contains_key(payload),
                "seed {seed}: {payload:?} is not sent, and was handed to a socket"
            );
        }
        for payload in &sent {
            assert!(
                self.sim.transmitted.contains_key(payload),
                "seed {seed}: {payload:?} is sent, and was handed to no socket"
            );
        }
        (sent, refused)
    }

    /// What reached the server, in the order in which it did.
    fn check_arrivals(&self, refused: &BTreeSet<Bytes>) {
        let seed = self.seed;
        let mut all: Vec<_> = self
            .sim
            .conns
            .iter()
            .enumerate()
            .flat_map(|(at, conn)| conn.received.iter().map(move |(order, p)| (order, at, p)))
            .filter(|(.., payload)| is_numbered(payload.bytes()))
            .collect();
        all.sort_unstable_by_key(|(order, ..)| **order);
        let mut arrived = BTreeSet::new();
        let mut last_on: BTreeMap<(usize, &str), u32> = BTreeMap::new();
        let mut last_kept: BTreeMap<&str, u32> = BTreeMap::new();
        for (_, conn, payload) in all {
            let text = payload.as_text().expect("text");
            assert!(
                !refused.contains(payload.bytes()),
                "seed {seed}: {text} arrived and is reported as not sent"
            );
            let (sender, number) = parse(text);
            let is_first = arrived.insert(text);
            if text.starts_with("s:") {
                assert!(is_first, "seed {seed}: {text} reached the server twice");
                let before = last_on.insert((conn, sender), number);
                assert!(
                    before.is_none_or(|before| before < number),
                    "seed {seed}: {text} after {before:?} on socket {conn}"
                );
            } else if text.starts_with("k:") && self.takes_all && is_first {
                let before = last_kept.insert(sender, number);
                assert!(
                    before.is_none_or(|before| before < number),
                    "seed {seed}: {text} arrived first after {before:?}"
                );
            }
        }
    }

    /// Over all sockets and workers: what is said to be sent was handed over in the order of the calls, but for a maybe, which
    /// a worker that was left behind may hand over late.
    fn check_order(&self, sent: &BTreeSet<Bytes>) {
        let seed = self.seed;
        let mut last: BTreeMap<&str, u32> = BTreeMap::new();
        for payload in &self.sim.transmitted_order {
            let may_be_late = !payload.starts_with(b"s:") && !self.takes_all;
            if may_be_late || !sent.contains(payload) {
                continue;
            }
            let text = core::str::from_utf8(payload).expect("text");
            let (sender, number) = parse(text);
            let before = last.insert(sender, number);
            assert!(
                before.is_none_or(|before| before < number),
                "seed {seed}: {text} is sent after {before:?}"
            );
        }
    }
}

/// The sender of a numbered payload, and its number there.
fn parse(text: &str) -> (&str, u32) {
    let (sender, number) = text[2..]
        .trim_end_matches('.')
        .rsplit_once('.')
        .expect("numbered");
    (sender, number.parse().expect("a number"))
}
