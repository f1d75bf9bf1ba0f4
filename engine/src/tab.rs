//! The tab's side: the channels of a page, the sends without a receipt, and the change from one worker to the next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use onesocket_protocol::{
    BatchReader, ChannelId, DebugLevel, Epoch, Greeting, GreetingId, Hello, LinkKey, LinkPolicy,
    LogLevel, Millis, Outbox, Payload, Preface, ReconnectCause, Replay, SendFailure, SendId,
    Status, StopReason, TabId, TabToken, ToTab, ToWorker, Version, VersionRange, Welcome,
    WorkerError, limits,
};

mod channel;

use channel::Channel;

/// What a channel asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelConfig {
    /// Which connection.
    pub key: LinkKey,
    /// How it should behave.
    pub policy: LinkPolicy,
    /// What the channel is given when the connection is open already.
    pub replay: Replay,
}

/// Why a worker can't be used, or none could be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionFailure {
    /// The worker and this page come from builds that share no protocol version.
    #[error("the page speaks protocol {ours}, its worker {theirs}")]
    VersionMismatch {
        /// What this build speaks.
        ours: VersionRange,
        /// What the worker speaks.
        theirs: VersionRange,
    },
    /// The worker's script ran, and its wasm did not, or has trapped since.
    #[error("the worker has failed: {reason}")]
    WorkerFailed {
        /// The browser's words.
        reason: String,
    },
    /// No tier is left to try. The ladder tells what became of each.
    #[error("no worker could be started in any tier")]
    NoTier,
    /// This is not a browser: on native targets the library is inert.
    #[error("there is no browser")]
    NoBrowser,
}

/// Why a send was not even taken. It certainly reached no socket.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendRejected {
    /// The payload is over the cap.
    #[error("the payload of {bytes} bytes is over the cap of {cap} bytes")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The cap.
        cap: usize,
    },
    /// So much is without a receipt already that the page's memory is at stake.
    #[error("{bytes} bytes wait for their receipts already")]
    Overloaded {
        /// How much waits.
        bytes: usize,
    },
    /// The channel is closed.
    #[error("the client is closed")]
    Closed,
    /// There is no worker, and none will come.
    #[error("nobody can send it")]
    Failed(#[source] SessionFailure),
}

/// Something that a client is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChannelEvent {
    /// How the connection is doing.
    Status(Status),
    /// The socket is open and the greetings are sent.
    Connected {
        /// The subprotocol that the server chose; empty when none.
        subprotocol: String,
    },
    /// The loop has ended.
    Disconnected {
        /// Why.
        reason: StopReason,
    },
    /// There is no socket, and the loop will dial again.
    Reconnecting {
        /// Which dial in a row after the lost or failed one comes, from 1.
        attempt: u32,
        /// How long until then; `None` while the browser is offline.
        delay: Option<Millis>,
        /// Why there is no socket.
        cause: ReconnectCause,
    },
    /// The server has sent a message.
    Message {
        /// Whether it was received before this channel joined.
        replayed: bool,
        /// The message.
        payload: Payload,
    },
    /// The page did not read for so long that messages were dropped, here.
    Lagged {
        /// How many.
        missed: u64,
    },
    /// Something is wrong; the connection lives on.
    Error(WorkerError),
    /// All sends up to this one, but those that failed, were handed to an open socket.
    Sent {
        /// The last of them.
        through: SendId,
    },
    /// This send never reached a socket and never will.
    NotSent {
        /// Which.
        id: SendId,
        /// Why.
        failure: SendFailure,
    },
    /// The worker was lost between taking this send and confirming it: it may have reached the server or not.
    MaybeSent {
        /// Which.
        id: SendId,
    },
    /// There is no worker, and none will come.
    Failed(SessionFailure),
    /// The channel is closed. Nothing follows.
    Closed,
}

/// Something to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum TabOutput<'a> {
    /// Post a buffer on the port of the last attach.
    Post(&'a [u8]),
    /// The worker has answered the hello.
    Welcomed {
        /// Which run of the worker it is.
        epoch: Epoch,
        /// The version that both speak.
        version: Version,
        /// The tab's number there.
        tab: TabId,
    },
    /// This worker can't be used, or no longer. The channels wait for the next attach.
    Refused(SessionFailure),
    /// Behind the port there is another run of the worker than before. Hello is said again already.
    Restarted {
        /// Which run it is now.
        epoch: Epoch,
    },
    /// The worker has let go of every channel: attach the next one.
    HandedOver,
    /// Something for a client.
    Event {
        /// Its channel.
        channel: ChannelId,
        /// What.
        event: ChannelEvent,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's.
        nonce: u32,
    },
    /// A line of the worker's log.
    Log {
        /// How grave.
        level: LogLevel,
        /// Which module.
        target: String,
        /// The line.
        text: String,
    },
    /// Something is wrong that belongs to no channel.
    Error(WorkerError),
}

/// The tab's end of the protocol.
///
/// After each call, drain [`poll_output`](Self::poll_output). It never panics, whatever a worker posts.
///
/// ```
/// use onesocket_engine::{ChannelConfig, TabOutput, TabSession};
/// use onesocket_protocol::{DebugLevel, LinkKey, LinkPolicy, Payload, Replay, SendId, TabToken};
///
/// let mut tab = TabSession::new(TabToken(7), DebugLevel::Off);
/// let key = LinkKey { url: "wss://x.org/".into(), subprotocols: vec![], account: String::new() };
/// let channel = tab.open(ChannelConfig { key, policy: LinkPolicy::default(), replay: Replay::None });
/// assert_eq!(tab.send(channel, Payload::text("kept until there is a worker")), Ok(SendId(1)));
/// assert_eq!(tab.poll_output(), None);
///
/// tab.attach(false);
/// assert!(matches!(tab.poll_output(), Some(TabOutput::Post(_))), "the hello");
/// assert_eq!(tab.poll_output(), None);
/// ```
#[derive(Debug)]
pub struct TabSession {
    token: TabToken,
    debug: DebugLevel,
    holds_lock: bool,
    online: bool,
    phase: Phase,
    channels: BTreeMap<ChannelId, Channel>,
    next_channel: u32,
    /// What is in no batch yet, in the order in which it was asked for. Channels and greetings are not in here before the
    /// welcome: it brings them all.
    unposted: VecDeque<ToWorker>,
    /// Bytes of payloads that are unposted or unconfirmed.
    unsettled_bytes: usize,
    outputs: VecDeque<TabOutput<'static>>,
    hello: Option<Vec<u8>>,
    posting: Vec<u8>,
    leaving: bool,
}

#[derive(Debug)]
enum Phase {
    Detached,
    /// Hello is said, and not answered.
    Greeting,
    Live(Live),
    HandingOver(HandingOver),
    Failed(SessionFailure),
}

#[derive(Debug)]
struct Live {
    epoch: Epoch,
    version: Version,
    outbox: Outbox,
}

#[derive(Debug)]
struct HandingOver {
    live: Live,
    /// Channels that the old worker still holds.
    held: BTreeSet<ChannelId>,
    /// What the old worker had queued and gives back.
    returned: Vec<(ChannelId, SendId, Payload)>,
}

impl TabSession {
    /// Makes a session without a worker.
    #[must_use]
    pub fn new(token: TabToken, debug: DebugLevel) -> Self {
        Self {
            token,
            debug,
            holds_lock: false,
            online: true,
            phase: Phase::Detached,
            channels: BTreeMap::new(),
            next_channel: 1,
            unposted: VecDeque::new(),
            unsettled_bytes: 0,
            outputs: VecDeque::new(),
            hello: None,
            posting: Vec::new(),
            leaving: false,
        }
    }

    /// Begins with the worker behind a fresh port, by a hello. `holds_lock`: the tab holds the Web Lock of its token.
    ///
    /// What an earlier worker was given and did not confirm is reported as [`ChannelEvent::MaybeSent`]; what it was not given
    /// goes to the new one.
    pub fn attach(&mut self, holds_lock: bool) {
        self.detach();
        if matches!(self.phase, Phase::Failed(_)) {
            return;
        }
        self.holds_lock = holds_lock;
        self.phase = Phase::Greeting;
        self.hello = Some(Hello::new(self.token, holds_lock).encode());
    }

    /// Forgets the worker: it is gone. The channels wait for the next [`attach`](Self::attach).
    pub fn detach(&mut self) {
        self.hello = None;
        match core::mem::replace(&mut self.phase, Phase::Detached) {
            Phase::Failed(why) => self.phase = Phase::Failed(why),
            Phase::HandingOver(handing_over) => self.take_back(handing_over.returned),
            Phase::Detached | Phase::Greeting | Phase::Live(_) => {}
        }
        for (id, channel) in &mut self.channels {
            for (send, payload) in channel.unconfirmed.drain(..) {
                self.unsettled_bytes -= payload.len();
                let event = ChannelEvent::MaybeSent { id: send };
                self.outputs.push_back(TabOutput::Event {
                    channel: *id,
                    event,
                });
            }
        }
        self.unposted
            .retain(|message| matches!(message, ToWorker::Send { .. } | ToWorker::Ping { .. }));
        let closing: Vec<ChannelId> = self
            .channels
            .iter()
            .filter(|(_, c)| c.closing)
            .map(|(id, _)| *id)
            .collect();
        for channel in closing {
            self.forget(channel);
        }
    }

    /// Starts an orderly change of worker: asks the present one to let go of every channel, and takes back what it has only
    /// queued. [`TabOutput::HandedOver`] follows, at once when there is no worker.
    pub fn hand_over(&mut self) {
        match core::mem::replace(&mut self.phase, Phase::Detached) {
            Phase::Live(mut live) => {
                // Only what the worker knows can be let go of; a channel whose connect is unposted is not held.
                let unposted = |id: &ChannelId| {
                    self.unposted
                        .iter()
                        .any(|m| matches!(m, ToWorker::Connect(connect) if connect.channel == *id))
                };
                let held: BTreeSet<ChannelId> = self
                    .channels
                    .keys()
                    .filter(|id| !unposted(id))
                    .copied()
                    .collect();
                for channel in &held {
                    live.outbox
                        .push(&ToWorker::Disconnect { channel: *channel });
                }
                self.phase = Phase::HandingOver(HandingOver {
                    live,
                    held,
                    returned: Vec::new(),
                });
                self.finish_hand_over();
            }
            Phase::HandingOver(handing_over) => self.phase = Phase::HandingOver(handing_over),
            Phase::Failed(why) => self.phase = Phase::Failed(why),
            Phase::Detached | Phase::Greeting => {
                self.detach();
                self.outputs.push_back(TabOutput::HandedOver);
            }
        }
    }

    /// Ends it: no worker could be had. Every send is settled and every channel told.
    pub fn fail(&mut self, why: SessionFailure) {
        self.detach();
        self.phase = Phase::Failed(why.clone());
        for message in core::mem::take(&mut self.unposted) {
            if let ToWorker::Send {
                channel,
                id,
                payload,
            } = message
            {
                self.unsettled_bytes -= payload.len();
                self.tell(
                    channel,
                    ChannelEvent::NotSent {
                        id,
                        failure: SendFailure::NoWorker,
                    },
                );
            }
        }
        for channel in self.channels.keys() {
            let event = ChannelEvent::Failed(why.clone());
            self.outputs.push_back(TabOutput::Event {
                channel: *channel,
                event,
            });
        }
    }

    /// Takes back a [`fail`](Self::fail): the channels wait for the next attach again.
    pub fn revive(&mut self) {
        if matches!(self.phase, Phase::Failed(_)) {
            self.phase = Phase::Detached;
        }
    }

    /// Says goodbye: the page goes. What is unposted is posted with it, whether or not the last batch is acknowledged.
    pub fn bye(&mut self) {
        if let Phase::Live(live) | Phase::HandingOver(HandingOver { live, .. }) = &mut self.phase {
            for message in self.unposted.drain(..) {
                live.outbox.push(&message);
            }
            live.outbox.push(&ToWorker::Bye);
            self.leaving = true;
        }
    }

    /// Opens a channel.
    pub fn open(&mut self, config: ChannelConfig) -> ChannelId {
        let id = ChannelId(self.next_channel);
        self.next_channel += 1;
        let channel = Channel::new(config);
        if let Phase::Failed(why) = &self.phase {
            let event = ChannelEvent::Failed(why.clone());
            self.outputs
                .push_back(TabOutput::Event { channel: id, event });
        }
        self.say(channel.connect(id));
        self.channels.insert(id, channel);
        id
    }

    /// Closes a channel. What it has queued is settled first; [`ChannelEvent::Closed`] is its last event.
    pub fn close(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        if channel.closing {
            return;
        }
        channel.closing = true;
        match &self.phase {
            Phase::Live(_) => self
                .unposted
                .push_back(ToWorker::Disconnect { channel: id }),
            // The old worker is letting go of it already, and the new one will not be told.
            Phase::HandingOver(handing_over) if handing_over.held.contains(&id) => {}
            _ => self.forget(id),
        }
    }

    /// Sends a payload.
    ///
    /// # Errors
    ///
    /// When it was not taken. Nothing of it is kept.
    pub fn send(&mut self, id: ChannelId, payload: Payload) -> Result<SendId, SendRejected> {
        if let Phase::Failed(why) = &self.phase {
            return Err(SendRejected::Failed(why.clone()));
        }
        if payload.len() > limits::MAX_PAYLOAD_BYTES {
            return Err(SendRejected::TooLarge {
                bytes: payload.len(),
                cap: limits::MAX_PAYLOAD_BYTES,
            });
        }
        if self.unsettled_bytes + payload.len() > MAX_UNSETTLED_BYTES {
            return Err(SendRejected::Overloaded {
                bytes: self.unsettled_bytes,
            });
        }
        let Some(channel) = self
            .channels
            .get_mut(&id)
            .filter(|channel| !channel.closing)
        else {
            return Err(SendRejected::Closed);
        };
        let send = channel.next_send();
        self.unsettled_bytes += payload.len();
        self.unposted.push_back(ToWorker::Send {
            channel: id,
            id: send,
            payload,
        });
        Ok(send)
    }

    /// Registers a greeting; `None` when the channel is closed.
    pub fn greet(
        &mut self,
        id: ChannelId,
        payload: Payload,
        farewell: Option<Payload>,
    ) -> Option<GreetingId> {
        let channel = self
            .channels
            .get_mut(&id)
            .filter(|channel| !channel.closing)?;
        let greeting = channel.add_greeting(payload, farewell);
        let name = greeting.id;
        self.say(ToWorker::Greet {
            channel: id,
            greeting,
        });
        Some(name)
    }

    /// Drops a greeting.
    pub fn ungreet(&mut self, id: ChannelId, greeting: GreetingId) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        if channel.greetings.remove(&greeting).is_some() && !channel.closing {
            self.say(ToWorker::Ungreet {
                channel: id,
                greeting,
            });
        }
    }

    /// Asks for a fresh [`ChannelEvent::Status`].
    pub fn ask_status(&mut self, channel: ChannelId) {
        self.say_of_open(channel, ToWorker::GetStatus { channel });
    }

    /// Passes on a delay that the server has asked for.
    pub fn delay(&mut self, channel: ChannelId, delay: Millis) {
        self.say_of_open(channel, ToWorker::Delay { channel, delay });
    }

    /// Asks for a new socket now.
    pub fn reconnect(&mut self, channel: ChannelId) {
        self.say_of_open(channel, ToWorker::Reconnect { channel });
    }

    /// Asks for a [`TabOutput::Pong`].
    pub fn ping(&mut self, nonce: u32) {
        self.unposted.push_back(ToWorker::Ping { nonce });
    }

    /// Turns the worker's debug log on or off.
    pub fn set_debug(&mut self, level: DebugLevel) {
        self.debug = level;
        self.say(ToWorker::SetDebug { level });
    }

    /// Passes on the page's `online` and `offline` events.
    pub fn handle_network(&mut self, online: bool) {
        self.online = online;
        self.say(ToWorker::Network { online });
    }

    /// Takes a buffer that the worker has posted.
    pub fn handle_frame(&mut self, frame: &Bytes) {
        match Preface::decode(frame) {
            Ok(Preface::Welcome(welcome)) => self.on_welcome(welcome),
            Ok(Preface::Refused(refusal)) => {
                self.on_refused(SessionFailure::VersionMismatch {
                    ours: VersionRange::OURS,
                    theirs: refusal.versions,
                });
            }
            Ok(Preface::Failed(failed)) => self.on_refused(SessionFailure::WorkerFailed {
                reason: failed.reason,
            }),
            Ok(Preface::Stale(epoch)) => self.on_stale(epoch),
            Ok(Preface::Batch) => self.on_batch(frame),
            Ok(Preface::Hello(_)) | Err(_) => self
                .outputs
                .push_back(TabOutput::Error(WorkerError::InvalidFrame)),
        }
    }

    /// Returns the next thing to do; `None` ends the drain.
    pub fn poll_output(&mut self) -> Option<TabOutput<'_>> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        if let Some(hello) = self.hello.take() {
            self.posting = hello;
            return Some(TabOutput::Post(&self.posting));
        }
        self.fill_batch();
        let leaving = self.leaving;
        let (Phase::Live(live) | Phase::HandingOver(HandingOver { live, .. })) = &mut self.phase
        else {
            return None;
        };
        let has_frame = if leaving {
            live.outbox.prepare_last_frame()
        } else {
            live.outbox.prepare_frame()
        };
        has_frame.then(|| TabOutput::Post(live.outbox.prepared_frame()))
    }

    /// Moves what is unposted into a batch, if one may leave now. Not earlier: what is in no batch is certainly not sent.
    fn fill_batch(&mut self) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        if !live.outbox.is_idle() {
            return;
        }
        while live.outbox.backlog_bytes() < limits::FULL_BATCH_BYTES {
            let Some(message) = self.unposted.pop_front() else {
                break;
            };
            live.outbox.push(&message);
            if let ToWorker::Send {
                channel,
                id,
                payload,
            } = message
                && let Some(channel) = self.channels.get_mut(&channel)
            {
                channel.unconfirmed.push_back((id, payload));
            }
        }
    }

    fn on_welcome(&mut self, welcome: Welcome) {
        if !matches!(self.phase, Phase::Greeting) {
            return;
        }
        let Some(version) = Version::from_number(welcome.version) else {
            let theirs = welcome.versions;
            return self.on_refused(SessionFailure::VersionMismatch {
                ours: VersionRange::OURS,
                theirs,
            });
        };
        let Welcome { epoch, tab, .. } = welcome;
        self.phase = Phase::Live(Live {
            epoch,
            version,
            outbox: Outbox::new(epoch, version),
        });
        self.outputs.push_back(TabOutput::Welcomed {
            epoch,
            version,
            tab,
        });
        self.introduce();
    }

    /// Tells a worker that knows nothing everything that it must know, in front of what is unposted.
    fn introduce(&mut self) {
        let mut introduction = VecDeque::new();
        if self.debug != DebugLevel::Off {
            introduction.push_back(ToWorker::SetDebug { level: self.debug });
        }
        if !self.online {
            introduction.push_back(ToWorker::Network { online: false });
        }
        for (id, channel) in &self.channels {
            introduction.push_back(channel.connect(*id));
            introduction.extend(channel.greetings.values().map(|greeting| ToWorker::Greet {
                channel: *id,
                greeting: Greeting::clone(greeting),
            }));
        }
        introduction.append(&mut self.unposted);
        self.unposted = introduction;
    }

    fn on_refused(&mut self, why: SessionFailure) {
        self.detach();
        self.outputs.push_back(TabOutput::Refused(why));
    }

    /// Safari may restart a SharedWorker on the ports of the one before; the new one asks for a hello.
    fn on_stale(&mut self, epoch: Epoch) {
        match &self.phase {
            Phase::Live(_) => {
                self.attach(self.holds_lock);
                self.outputs.push_back(TabOutput::Restarted { epoch });
            }
            Phase::HandingOver(_) => {
                self.detach();
                self.outputs.push_back(TabOutput::HandedOver);
            }
            Phase::Detached | Phase::Greeting | Phase::Failed(_) => {}
        }
    }

    fn on_batch(&mut self, frame: &Bytes) {
        let (Phase::Live(live) | Phase::HandingOver(HandingOver { live, .. })) = &mut self.phase
        else {
            return;
        };
        let Ok(reader) = BatchReader::new(frame) else {
            return self
                .outputs
                .push_back(TabOutput::Error(WorkerError::InvalidFrame));
        };
        if reader.header().epoch != live.epoch {
            // A last word of a worker that is not ours any more.
            return;
        }
        if live.outbox.on_batch(reader.header()).is_err() {
            return self
                .outputs
                .push_back(TabOutput::Error(WorkerError::InvalidFrame));
        }
        let version = live.version;
        for raw in reader {
            let Ok(raw) = raw else {
                return self
                    .outputs
                    .push_back(TabOutput::Error(WorkerError::InvalidFrame));
            };
            match ToTab::decode(version, &raw) {
                Ok(message) => self.on_message(message),
                // A newer worker may say things that this page need not understand.
                Err(_) => self
                    .outputs
                    .push_back(TabOutput::Error(WorkerError::InvalidMessage {
                        tag: raw.tag,
                    })),
            }
        }
    }

    fn on_message(&mut self, message: ToTab) {
        match message {
            ToTab::Ready { .. } => {}
            ToTab::Attached { channel, status } | ToTab::Status { channel, status } => {
                self.tell(channel, ChannelEvent::Status(status));
            }
            ToTab::Connected {
                channel,
                subprotocol,
            } => self.tell(channel, ChannelEvent::Connected { subprotocol }),
            ToTab::Disconnected { channel, reason } => {
                self.tell(channel, ChannelEvent::Disconnected { reason })
            }
            ToTab::Reconnecting {
                channel,
                attempt,
                delay,
                cause,
            } => {
                self.tell(
                    channel,
                    ChannelEvent::Reconnecting {
                        attempt,
                        delay,
                        cause,
                    },
                );
            }
            ToTab::Message {
                channel,
                replayed,
                payload,
            } => self.tell(channel, ChannelEvent::Message { replayed, payload }),
            ToTab::Error {
                channel: Some(channel),
                error,
            } => self.tell(channel, ChannelEvent::Error(error)),
            ToTab::Error {
                channel: None,
                error,
            } => self.outputs.push_back(TabOutput::Error(error)),
            ToTab::Sent { channel, through } => self.on_sent(channel, through),
            ToTab::Failed {
                channel,
                id,
                failure,
            } => self.on_failed(channel, id, failure),
            ToTab::Pong { nonce } => self.outputs.push_back(TabOutput::Pong { nonce }),
            ToTab::Log {
                level,
                target,
                text,
            } => self.outputs.push_back(TabOutput::Log {
                level,
                target,
                text,
            }),
            ToTab::Lagged { channel, missed } => {
                self.tell(channel, ChannelEvent::Lagged { missed })
            }
            ToTab::Detached { channel } => self.on_detached(channel),
        }
    }

    fn on_sent(&mut self, id: ChannelId, through: SendId) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        self.unsettled_bytes -= channel.confirm(through);
        self.tell(id, ChannelEvent::Sent { through });
    }

    fn on_failed(&mut self, id: ChannelId, send: SendId, failure: SendFailure) {
        let Some(payload) = self
            .channels
            .get_mut(&id)
            .and_then(|channel| channel.take_unconfirmed(send))
        else {
            return;
        };
        match &mut self.phase {
            Phase::HandingOver(handing_over)
                if failure == SendFailure::Disconnected
                    && !self.channels.get(&id).is_some_and(|c| c.closing) =>
            {
                handing_over.returned.push((id, send, payload));
            }
            _ => {
                self.unsettled_bytes -= payload.len();
                self.tell(id, ChannelEvent::NotSent { id: send, failure });
            }
        }
    }

    fn on_detached(&mut self, id: ChannelId) {
        if self
            .channels
            .get(&id)
            .is_some_and(|channel| channel.closing)
        {
            self.forget(id);
        }
        if let Phase::HandingOver(handing_over) = &mut self.phase {
            handing_over.held.remove(&id);
            self.finish_hand_over();
        }
    }

    fn finish_hand_over(&mut self) {
        if matches!(&self.phase, Phase::HandingOver(handing_over) if handing_over.held.is_empty()) {
            self.detach();
            self.outputs.push_back(TabOutput::HandedOver);
        }
    }

    /// Puts what a worker has given back in front of what it was never given.
    fn take_back(&mut self, returned: Vec<(ChannelId, SendId, Payload)>) {
        for (channel, id, payload) in returned.into_iter().rev() {
            self.unposted.push_front(ToWorker::Send {
                channel,
                id,
                payload,
            });
        }
    }

    /// Removes a channel that the worker does not hold; settles what it has unposted or unconfirmed.
    fn forget(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.remove(&id) else {
            return;
        };
        for (send, payload) in channel.unconfirmed {
            self.unsettled_bytes -= payload.len();
            self.tell(id, ChannelEvent::MaybeSent { id: send });
        }
        let unposted = core::mem::take(&mut self.unposted);
        for message in unposted {
            match message {
                ToWorker::Send {
                    channel,
                    id: send,
                    payload,
                } if channel == id => {
                    self.unsettled_bytes -= payload.len();
                    self.tell(
                        id,
                        ChannelEvent::NotSent {
                            id: send,
                            failure: SendFailure::Disconnected,
                        },
                    );
                }
                message => self.unposted.push_back(message),
            }
        }
        self.tell(id, ChannelEvent::Closed);
    }

    /// Says something that a welcome would bring anyway.
    fn say(&mut self, message: ToWorker) {
        if matches!(self.phase, Phase::Live(_)) {
            self.unposted.push_back(message);
        }
    }

    fn say_of_open(&mut self, channel: ChannelId, message: ToWorker) {
        if self
            .channels
            .get(&channel)
            .is_some_and(|channel| !channel.closing)
        {
            self.say(message);
        }
    }

    fn tell(&mut self, channel: ChannelId, event: ChannelEvent) {
        self.outputs.push_back(TabOutput::Event { channel, event });
    }
}

/// Bytes of payloads that may be without a receipt in one tab. They are kept twice for a moment, here and in a batch, and
/// wasm memory never shrinks.
const MAX_UNSETTLED_BYTES: usize = 128 * 1024 * 1024;
