//! What the server has said on each link, and that its channels are told it: all, once, and in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use bytes::Bytes;
use onesocket_engine::{ChannelEvent, Gathered, Input, PortId, SocketId};
use onesocket_protocol::{ChannelId, Connect, LinkKey, limits};

#[derive(Debug, Default)]
pub(super) struct Heard {
    said: BTreeMap<LinkKey, Vec<Bytes>>,
    /// A rule of their policy, or a channel that was opened twice, leaves something out: that is somebody else's test.
    ruled: BTreeSet<LinkKey>,
    /// The link of each channel, and how much of what was said there it has got or knows that it has missed.
    channels: BTreeMap<(PortId, ChannelId), (LinkKey, usize)>,
}

impl Heard {
    /// A worker reads of a channel.
    pub(super) fn on_connect(&mut self, port: PortId, connect: &Connect) {
        let Connect {
            channel,
            key,
            policy,
            ..
        } = connect;
        let has_pong = (policy.heartbeat.as_ref()).is_some_and(|beat| beat.pong.is_some());
        let has_rule = policy.latest.is_some()
            || policy.answer.is_some()
            || has_pong
            || policy.max_received_bytes < limits::MAX_PAYLOAD_BYTES as u32;
        let at = self.said.get(key).map_or(0, Vec::len);
        let before = self.channels.insert((port, *channel), (key.clone(), at));
        if has_rule || before.is_some() {
            self.ruled.insert(key.clone());
        }
    }

    pub(super) fn on_input(&mut self, input: &Input, sockets: &BTreeMap<SocketId, Rc<LinkKey>>) {
        let (socket, payloads) = match input {
            Input::Received { socket, payload } => (socket, vec![payload.bytes().clone()]),
            Input::ReceivedParcel { socket, parcel } => {
                (socket, vec![parcel.read().bytes().clone()])
            }
            Input::Gathered { socket, gathered } => {
                (socket, gathered.iter().flat_map(payloads).collect())
            }
            _ => return,
        };
        let key = LinkKey::clone(&sockets[socket]);
        self.said.entry(key).or_default().extend(payloads);
    }

    pub(super) fn on_event(&mut self, port: PortId, channel: ChannelId, event: &ChannelEvent) {
        match event {
            ChannelEvent::Message {
                replayed: false,
                payload,
            } => self.on_message(port, channel, payload.bytes()),
            ChannelEvent::Packed(packed) => {
                for payload in packed.payloads() {
                    self.on_message(port, channel, payload.bytes());
                }
            }
            ChannelEvent::Lagged { missed } => {
                if let Some((_, at)) = self.channels.get_mut(&(port, channel)) {
                    *at += *missed as usize;
                }
            }
            _ => {}
        }
    }

    fn on_message(&mut self, port: PortId, channel: ChannelId, payload: &Bytes) {
        let Some((key, at)) = self.channels.get_mut(&(port, channel)) else {
            panic!("a message on {channel:?}, which no worker knows");
        };
        let said = self.said.get(key).and_then(|said| said.get(*at));
        let is_next = said == Some(payload) || self.ruled.contains(key);
        assert!(is_next, "{payload:?} on {channel:?} in place of {said:?}");
        *at += 1;
    }

    /// Nothing is on its way any more to a tab that listens on this.
    pub(super) fn check_end(&self, port: PortId, channel: ChannelId) {
        let Some((key, at)) = self.channels.get(&(port, channel)) else {
            return;
        };
        let said = self.said.get(key).map_or(0, Vec::len);
        let has_all = *at == said || self.ruled.contains(key);
        assert!(has_all, "{at} of {said} messages came on {channel:?}");
    }
}

fn payloads(piece: &Gathered) -> Vec<Bytes> {
    match piece {
        Gathered::One(payload) => vec![payload.bytes().clone()],
        Gathered::Parcel(parcel) => vec![parcel.read().bytes().clone()],
        Gathered::Packed(packed) => {
            let payloads = packed.payloads();
            payloads.map(|payload| payload.bytes().clone()).collect()
        }
    }
}
