//! What an app sees of one channel, and what must hold of it: the reference model.

use std::collections::BTreeMap;

use bytes::Bytes;
use onesocket_engine::{ChannelEvent, Delivery};
use onesocket_protocol::{
    LinkState, Millis, Payload, ReconnectCause, SendFailure, SendId, Status, StopReason,
    WorkerError,
};

use super::Conn;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Sent,
    Acknowledged,
    NotSent(SendFailure),
    MaybeSent,
}

#[derive(Debug)]
pub(crate) struct Message {
    /// When it was delivered.
    pub(crate) at: u64,
    pub(crate) replayed: bool,
    pub(crate) text: String,
}

impl Message {
    /// What the server said, without the number.
    pub(crate) fn body(&self) -> &str {
        self.text.splitn(4, ':').nth(3).unwrap_or(&self.text)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) sends: BTreeMap<SendId, Bytes>,
    /// The sends that the server is to acknowledge, by what they say.
    kept: BTreeMap<Bytes, SendId>,
    pub(crate) outcomes: BTreeMap<SendId, Outcome>,
    pub(crate) messages: Vec<Message>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) connects: Vec<(u64, String)>,
    pub(crate) reconnects: Vec<(u64, u32, Option<Millis>, ReconnectCause)>,
    pub(crate) stops: Vec<StopReason>,
    pub(crate) errors: Vec<WorkerError>,
    pub(crate) lagged: Vec<u64>,
    /// What it was told that the socket holds, each time.
    pub(crate) buffered: Vec<u32>,
    /// What it was asked for credentials: the number, and whether the last one was refused.
    pub(crate) asked: Vec<(u32, bool)>,
    pub(crate) failed: u32,
    pub(crate) closed: bool,
    /// The socket and number of the last message, and how many after it were reported as dropped.
    last: Option<(u64, u64, u64)>,
    /// Whether it has heard of a socket of this worker: the next one it knows from its beginning.
    has_connected: bool,
    /// The number of the first message of a socket that was opened while this client listened, until that comes.
    first: Option<u64>,
}

impl Client {
    /// The texts of the messages that it has got.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let texts = self.messages.iter();
        texts.map(|message| message.text.as_str()).collect()
    }

    pub(crate) fn on_send(&mut self, id: SendId, payload: Bytes, delivery: Delivery) {
        if delivery == Delivery::UntilAcknowledged {
            self.kept.insert(payload.clone(), id);
        }
        self.sends.insert(id, payload);
    }

    /// What comes next may come from a socket that was heard before, with a replay.
    pub(crate) fn on_new_worker(&mut self) {
        (self.last, self.first, self.has_connected) = (None, None, false);
    }

    /// Whatever its last socket has received it has been told by now, but for what was reported as dropped.
    pub(crate) fn check_tail(&self, conns: &[Conn], seed: u64) {
        if let Some((conn, last, skipped)) = self.last {
            let given = conns[conn as usize].given;
            assert_eq!(
                last + 1 + skipped,
                given,
                "seed {seed}: messages of socket {conn} told, of those received"
            );
        }
    }

    /// Returns the sends that the server acknowledges with this, which it does by repeating them.
    pub(crate) fn on_event(
        &mut self,
        at: u64,
        event: ChannelEvent,
        conns: &[Conn],
        seed: u64,
    ) -> Vec<SendId> {
        assert!(
            !self.closed,
            "seed {seed}: {event:?} after the channel was closed"
        );
        if matches!(
            event,
            ChannelEvent::Connected { .. }
                | ChannelEvent::Disconnected { .. }
                | ChannelEvent::Reconnecting { .. }
        ) {
            self.check_tail(conns, seed);
        }
        match event {
            ChannelEvent::Status(status) => self.statuses.push(status),
            ChannelEvent::Connected { subprotocol } => {
                self.connects.push((at, subprotocol));
                self.first = core::mem::replace(&mut self.has_connected, true).then_some(0);
            }
            ChannelEvent::Disconnected { reason } => self.stops.push(reason),
            ChannelEvent::Reconnecting {
                attempt,
                delay,
                cause,
            } => {
                self.reconnects.push((at, attempt, delay, cause));
            }
            ChannelEvent::Message { replayed, payload } => {
                let acknowledged = self.on_message(at, replayed, &payload, seed);
                return acknowledged.into_iter().collect();
            }
            ChannelEvent::Packed(packed) => {
                return packed
                    .payloads()
                    .filter_map(|payload| self.on_message(at, false, &payload, seed))
                    .collect();
            }
            ChannelEvent::Parcel(parcel) => {
                let acknowledged = self.on_message(at, false, &parcel.into_payload(), seed);
                return acknowledged.into_iter().collect();
            }
            ChannelEvent::Lagged { missed } => {
                self.lagged.push(missed);
                if let Some(skipped) = &mut self.first {
                    *skipped += missed;
                } else if let Some((_, _, skipped)) = &mut self.last {
                    *skipped += missed;
                }
            }
            ChannelEvent::Error(error) => self.errors.push(error),
            ChannelEvent::Sent { through } => {
                let handed = self.sends.iter().take_while(|(id, _)| **id <= through);
                for (id, payload) in handed {
                    if !self.kept.contains_key(payload) {
                        self.outcomes.entry(*id).or_insert(Outcome::Sent);
                    }
                }
            }
            ChannelEvent::Acknowledged { id } => self.settle(id, Outcome::Acknowledged, seed),
            ChannelEvent::NotSent { id, failure } => {
                self.settle(id, Outcome::NotSent(failure), seed)
            }
            ChannelEvent::MaybeSent { id } => self.settle(id, Outcome::MaybeSent, seed),
            ChannelEvent::NeedCredential { request, refused } => {
                self.asked.push((request, refused))
            }
            ChannelEvent::Buffered { bytes } => self.buffered.push(bytes),
            ChannelEvent::Failed(_) => self.failed += 1,
            ChannelEvent::UpdateAvailable { .. } => panic!("all are of one build"),
            ChannelEvent::Closed => self.closed = true,
        }
        Vec::new()
    }

    fn on_message(
        &mut self,
        at: u64,
        replayed: bool,
        payload: &Payload,
        seed: u64,
    ) -> Option<SendId> {
        let text = String::from_utf8_lossy(payload.bytes()).into_owned();
        self.check_number(&text, replayed, seed);
        let message = Message { at, replayed, text };
        let acknowledged = self.kept.get(message.body().as_bytes()).copied();
        self.messages.push(message);
        acknowledged
    }

    fn settle(&mut self, id: SendId, outcome: Outcome, seed: u64) {
        let before = self.outcomes.insert(id, outcome.clone());
        assert_eq!(
            before, None,
            "seed {seed}: send {id} is settled again, as {outcome:?}"
        );
    }

    /// On one socket no number is left out and none comes twice, but for those that were reported.
    fn check_number(&mut self, text: &str, replayed: bool, seed: u64) {
        let mut parts = text.split(':');
        let Some("m") = parts.next() else { return };
        let mut number = || {
            parts
                .next()
                .and_then(|part| part.parse::<u64>().ok())
                .expect("numbered")
        };
        let (conn, number) = (number(), number());
        if let Some(first) = self.first.take() {
            assert_eq!(
                number, first,
                "seed {seed}: first message of socket {conn}, replayed: {replayed}"
            );
        }
        if let Some((last_conn, last, skipped)) = self.last {
            if last_conn == conn {
                assert_eq!(
                    number,
                    last + 1 + skipped,
                    "seed {seed}: message after {last} of socket {conn}, {skipped} reported as missed, replayed: {replayed}"
                );
            } else {
                assert!(
                    conn > last_conn,
                    "seed {seed}: a message of an older socket"
                );
            }
        }
        self.last = Some((conn, number, 0));
    }

    /// What was sent up to this one, and has no outcome.
    pub(crate) fn open_sends(&self, through: SendId) -> impl Iterator<Item = &Bytes> {
        let sends = self.sends.range(..=through);
        let open = sends.filter(|(id, _)| !self.outcomes.contains_key(id));
        open.map(|(_, payload)| payload)
    }

    pub(crate) fn unsettled(&self) -> Vec<SendId> {
        self.sends
            .keys()
            .filter(|id| !self.outcomes.contains_key(id))
            .copied()
            .collect()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.statuses
            .last()
            .is_some_and(|status| status.state.is_connected())
    }

    pub(crate) fn last_state(&self) -> &LinkState {
        &self.statuses.last().expect("a status came").state
    }
}
