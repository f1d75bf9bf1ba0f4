//! What was sent, and what must hold of it whatever has happened.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use onesocket_engine::ChannelEvent;
use onesocket_protocol::{ChannelId, SendId};

/// The tab and the channel of a send, and its number there.
type Name = (usize, ChannelId, SendId);

#[derive(Debug, Default)]
pub(super) struct Sends {
    all: BTreeMap<Name, Bytes>,
    /// No two have the same payload.
    names: BTreeMap<Bytes, Name>,
    transmitted: BTreeSet<Bytes>,
    not_sent: BTreeSet<Name>,
    /// The at-most-once send of each channel that was handed to a socket last.
    last_once: BTreeMap<(usize, ChannelId), SendId>,
    /// Those that have had their last word.
    ended: BTreeSet<Name>,
}

impl Sends {
    pub(super) fn len(&self, tab: usize) -> usize {
        let of_tab = (tab, ChannelId(0), SendId(0))..(tab + 1, ChannelId(0), SendId(0));
        self.all.range(of_tab).count()
    }

    pub(super) fn on_send(&mut self, tab: usize, channel: ChannelId, id: SendId, payload: Bytes) {
        let name = (tab, channel, id);
        self.names.insert(payload.clone(), name);
        let before = self.all.insert(name, payload);
        assert_eq!(before, None, "a number is given to two sends");
    }

    /// A payload is handed to an open socket.
    pub(super) fn on_transmit(&mut self, payload: &Bytes) {
        let Some(name) = self.names.get(payload).copied() else {
            return;
        };
        assert!(
            !self.not_sent.contains(&name),
            "sent after it was reported as not sent"
        );
        let is_first = self.transmitted.insert(payload.clone());
        if !is_once(payload) {
            return;
        }
        assert!(is_first, "an at-most-once send is handed to sockets twice");
        let (tab, channel, id) = name;
        let before = self.last_once.insert((tab, channel), id);
        assert!(
            before.is_none_or(|before| before < id),
            "{payload:?} is handed to a socket after send {before:?}"
        );
    }

    pub(super) fn on_event(&mut self, tab: usize, channel: ChannelId, event: &ChannelEvent) {
        match event {
            ChannelEvent::Sent { through } => self.on_sent(tab, channel, *through),
            ChannelEvent::NotSent { id, .. } => {
                let name = (tab, channel, *id);
                let was_transmitted = self.transmitted.contains(&self.all[&name]);
                assert!(!was_transmitted, "{name:?} is reported as not sent");
                self.not_sent.insert(name);
                self.end(name);
            }
            ChannelEvent::MaybeSent { id } | ChannelEvent::Acknowledged { id } => {
                self.end((tab, channel, *id));
            }
            _ => {}
        }
    }

    fn on_sent(&mut self, tab: usize, channel: ChannelId, through: SendId) {
        let of_channel = (tab, channel, SendId(0))..=(tab, channel, through);
        for (name, payload) in self.all.range(of_channel) {
            if self.ended.contains(name) {
                continue;
            }
            let was_transmitted = self.transmitted.contains(payload);
            assert!(was_transmitted, "{name:?} is reported as sent");
            if !payload.starts_with(b"until:") {
                self.ended.insert(*name);
            }
        }
    }

    fn end(&mut self, name: Name) {
        assert!(self.ended.insert(name), "{name:?} ends twice");
    }

    /// Nothing is to come any more.
    pub(super) fn check_end(&self) {
        let open = self.all.keys().find(|name| !self.ended.contains(name));
        assert_eq!(open, None, "a send without an end");
    }
}

fn is_once(payload: &Bytes) -> bool {
    payload.starts_with(b"once:")
}
