//! The tab's side: the channels of a page, the sends without a receipt, and the change from one worker to the next.

use std::collections::VecDeque;

use litemap::LiteMap;
use onesocket_protocol::{
    ChannelId, Credential, DebugLevel, Epoch, Greeting, GreetingId, Hello, Millis, Outbox, Pace,
    Payload, SendFailure, SendId, Sight, TabToken, ToWorker, Version, frame::HEADER_BYTES, limits,
};

mod channel;
mod delivery;
mod event;
mod incoming;

pub use delivery::{Delivery, Loss};
pub use event::{ChannelConfig, ChannelEvent, SendRejected, SessionFailure, TabOutput};

use channel::Channel;
use delivery::{NO_QUEUE, Pending, Unposted};

/// The tab's end of the protocol.
///
/// After each call, drain [`poll_output`](Self::poll_output). It never panics, whatever a worker posts.
///
/// ```
/// use onesocket_engine::{ChannelConfig, Delivery, TabOutput, TabSession};
/// use onesocket_protocol::{DebugLevel, LinkKey, LinkPolicy, Payload, Replay, SendId, TabToken};
///
/// let mut tab = TabSession::new(TabToken(7), DebugLevel::Off);
/// let key = LinkKey { url: "wss://x.org/".into(), subprotocols: vec![], account: String::new() };
/// let channel = tab.open(ChannelConfig { key, policy: LinkPolicy::default(), replay: Replay::None });
/// let payload = Payload::text("kept until there is a worker");
/// assert_eq!(tab.send(channel, payload, Delivery::AtMostOnce), Ok(SendId(1)));
/// assert_eq!(tab.poll_output(), None);
///
/// tab.attach(false);
/// assert!(matches!(tab.poll_output(), Some(TabOutput::Post(_))), "the hello");
/// assert_eq!(tab.poll_output(), None);
/// ```
#[derive(Debug)]
pub struct TabSession {
    token: TabToken,
    /// Of the app; 0 when it has not said.
    build: u64,
    /// The newest build that a worker has told of.
    update: Option<u64>,
    debug: DebugLevel,
    holds_lock: bool,
    /// Whether the worker knows, or will be told by the hello.
    has_told_of_lock: bool,
    /// What the browser has said, if it was asked.
    online: Option<bool>,
    pace: Pace,
    sight: Sight,
    phase: Phase,
    channels: LiteMap<ChannelId, Channel>,
    next_channel: u32,
    /// What is in no batch yet, in the order in which it was asked for. Channels and greetings are not in here before the
    /// welcome: it brings them all.
    unposted: VecDeque<Unposted>,
    outputs: VecDeque<TabOutput<'static>>,
    hello: Option<Vec<u8>>,
    /// The last words to a worker that was left in good order.
    parting: Option<Vec<u8>>,
    posting: Vec<u8>,
    leaving: bool,
    /// The worker is lost, and not let go of yet.
    is_hushed: bool,
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
    held: Vec<ChannelId>,
    /// What the old worker had queued and gives back.
    returned: Vec<(ChannelId, Pending)>,
}

impl TabSession {
    /// Makes a session without a worker.
    #[must_use]
    pub fn new(token: TabToken, debug: DebugLevel) -> Self {
        Self {
            token,
            build: 0,
            update: None,
            debug,
            holds_lock: false,
            has_told_of_lock: false,
            online: None,
            pace: Pace::default(),
            sight: Sight::Off,
            phase: Phase::Detached,
            channels: LiteMap::new(),
            next_channel: 1,
            unposted: VecDeque::new(),
            outputs: VecDeque::new(),
            hello: None,
            parting: None,
            posting: Vec::new(),
            leaving: false,
            is_hushed: false,
        }
    }

    /// Says which build of the app this is: a number that grows with each deploy; 0 for none. It is told with each hello from now on.
    #[must_use]
    pub fn with_build(mut self, build: u64) -> Self {
        self.build = build;
        self
    }

    /// Goes by another token from the next [`attach`](Self::attach) on. Requests for a lock are granted in their order, so a worker that hangs keeps
    /// those that come later from a lock of which it was told.
    pub fn go_by(&mut self, token: TabToken) {
        self.token = token;
    }

    /// Returns the hello that an [`attach`](Self::attach) says, for one more port to the same worker.
    #[must_use]
    pub fn hello(&self, holds_lock: bool) -> Hello {
        Hello {
            build: self.build,
            ..Hello::new(self.token, holds_lock)
        }
    }

    /// Begins with the worker behind a fresh port, by a hello. `holds_lock`: the tab holds the Web Lock of its token; if it will only hold
    /// it in a moment, [`hold_lock`](Self::hold_lock) tells.
    ///
    /// An earlier worker that was not [detached](Self::detach) is taken for one that may live on.
    pub fn attach(&mut self, holds_lock: bool) {
        self.lose_worker(Loss::Unknown);
        if matches!(self.phase, Phase::Failed(_)) {
            return;
        }
        self.holds_lock = holds_lock;
        self.has_told_of_lock = holds_lock;
        self.phase = Phase::Greeting;
        self.hello = Some(self.hello(holds_lock).encode());
    }

    /// Forgets a worker that does not answer, with a goodbye in case it wakes up later: it must not keep the tab's place.
    pub fn abandon(&mut self, loss: Loss) {
        if let Phase::Live(live) | Phase::HandingOver(HandingOver { live, .. }) = &mut self.phase {
            live.outbox.push(&ToWorker::Bye);
            if live.outbox.prepare_last_frame() {
                self.parting = Some(live.outbox.prepared_frame().to_vec());
            }
        }
        self.detach(loss);
    }

    /// Gives a worker that is known to be lost nothing more to send, until the next [`detach`](Self::detach), [`attach`](Self::attach) or [`bye`](Self::bye): its last words
    /// may still come, and what is sent meanwhile is the next one's.
    pub fn hush(&mut self) {
        self.is_hushed = true;
    }

    /// Returns whether the worker owes an acknowledgement. One that is well gives it at once.
    #[must_use]
    pub fn awaits_ack(&self) -> bool {
        match &self.phase {
            Phase::Live(live) | Phase::HandingOver(HandingOver { live, .. }) => {
                !live.outbox.is_idle()
            }
            Phase::Detached | Phase::Greeting | Phase::Failed(_) => false,
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
                        .any(|unposted| matches!(unposted, Unposted::Message(ToWorker::Connect(connect)) if connect.channel == *id))
                };
                let held: Vec<ChannelId> = self
                    .channels
                    .keys()
                    .filter(|id| !unposted(id))
                    .copied()
                    .collect();
                for channel in &held {
                    live.outbox
                        .push(&ToWorker::Disconnect { channel: *channel });
                }
                // Its last words wait for no app.
                live.outbox.withhold(false);
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
                self.detach(Loss::Unknown);
                self.outputs.push_back(TabOutput::HandedOver);
            }
        }
    }

    /// Ends it: no worker could be had. Every send is settled and every channel told.
    pub fn fail(&mut self, why: SessionFailure) {
        for (_, channel) in self.channels.iter_mut().filter(|(_, c)| c.closing) {
            // Nobody will do it.
            channel.log_out = None;
        }
        self.detach(Loss::Unknown);
        self.phase = Phase::Failed(why.clone());
        for unposted in core::mem::take(&mut self.unposted) {
            if let Unposted::Send(channel, pending) = unposted {
                self.tell_not_sent(channel, &pending, SendFailure::NoWorker);
            }
        }
        let channels: Vec<ChannelId> = self.channels.keys().copied().collect();
        for channel in channels {
            self.tell(channel, ChannelEvent::Failed(why.clone()));
            self.tell_update(channel);
        }
    }

    /// Takes back a [`fail`](Self::fail): the channels wait for the next attach again.
    pub fn revive(&mut self) {
        if matches!(self.phase, Phase::Failed(_)) {
            self.phase = Phase::Detached;
        }
    }

    /// Says goodbye: the page goes. What is unposted is posted with it, whether or not the last batch is acknowledged.
    ///
    /// A page that comes back (from the back/forward cache) has to [`attach`](Self::attach) again.
    pub fn bye(&mut self) {
        self.call_off_hand_over();
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        for message in self.unposted.drain(..) {
            pass_on(&mut live.outbox, &mut self.channels, message);
        }
        live.outbox.push(&ToWorker::Bye);
        self.leaving = true;
    }

    /// There is no time any more to wait for what the worker gives back: it is told everything again.
    fn call_off_hand_over(&mut self) {
        match core::mem::replace(&mut self.phase, Phase::Detached) {
            Phase::HandingOver(HandingOver { live, returned, .. }) => {
                self.phase = Phase::Live(live);
                self.drop_news();
                self.take_back(returned);
                self.introduce();
            }
            phase => self.phase = phase,
        }
    }

    /// Opens a channel.
    pub fn open(&mut self, config: ChannelConfig) -> ChannelId {
        let id = ChannelId(self.next_channel);
        self.next_channel += 1;
        let mut channel = Channel::new(config);
        // Told when a worker has attached it: whoever opens it may begin to listen only behind this task.
        channel.owes_update = self.update.is_some();
        self.say(channel.connect(id));
        self.channels.insert(id, channel);
        if let Phase::Failed(why) = &self.phase {
            let event = ChannelEvent::Failed(why.clone());
            self.tell(id, event);
            self.tell_update(id);
        }
        id
    }

    /// Closes a channel. What it has queued is settled first; [`ChannelEvent::Closed`] is its last event. One that is to be
    /// [logged out](Self::log_out) stays until a worker has done that.
    pub fn close(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        if channel.closing {
            return;
        }
        channel.closing = true;
        channel.greetings.clear();
        let is_over = channel.is_over();
        let is_held = match &self.phase {
            Phase::Live(_) => {
                let disconnect = ToWorker::Disconnect { channel: id };
                return self.unposted.push_back(Unposted::Message(disconnect));
            }
            // The old worker is letting go of it already.
            Phase::HandingOver(handing_over) => handing_over.held.contains(&id),
            Phase::Detached | Phase::Greeting => false,
            Phase::Failed(_) => return self.forget(id),
        };
        if is_held || !is_over {
            // The next worker is to log it out, and to send nothing more.
            self.settle_unsent(id);
        } else {
            self.forget(id);
        }
    }

    /// Sends a payload.
    ///
    /// # Errors
    ///
    /// When it was not taken. Nothing of it is kept.
    pub fn send(
        &mut self,
        id: ChannelId,
        payload: Payload,
        delivery: Delivery,
    ) -> Result<SendId, SendRejected> {
        if let Phase::Failed(why) = &self.phase {
            return Err(SendRejected::Failed(why.clone()));
        }
        if payload.len() > limits::MAX_PAYLOAD_BYTES {
            return Err(SendRejected::TooLarge {
                bytes: payload.len(),
                cap: limits::MAX_PAYLOAD_BYTES,
            });
        }
        let bytes = self.unsettled_bytes();
        if bytes + payload.len() > MAX_UNSETTLED_BYTES {
            return Err(SendRejected::Overloaded { bytes });
        }
        let Some(channel) = self
            .channels
            .get_mut(&id)
            .filter(|channel| !channel.closing)
        else {
            return Err(SendRejected::Closed);
        };
        let send = channel.next_send();
        channel.unsettled_bytes += payload.len();
        let pending = Pending {
            id: send,
            payload,
            delivery,
            batch: 0,
        };
        if channel.is_cut {
            self.tell_not_sent(id, &pending, NO_QUEUE);
        } else {
            self.unposted.push_back(Unposted::Send(id, pending));
        }
        Ok(send)
    }

    /// Returns how many bytes of payloads wait for their outcome.
    #[must_use]
    pub fn unsettled_bytes(&self) -> usize {
        self.channels
            .values()
            .map(|channel| channel.unsettled_bytes)
            .sum()
    }

    /// Returns how many bytes a channel has sent that wait for their outcome, and [`socket_bytes`](Self::socket_bytes) on top. 0 when it
    /// is closed.
    #[must_use]
    pub fn buffered_bytes(&self, id: ChannelId) -> usize {
        self.channels.get(&id).map_or(0, |channel| {
            channel.unsettled_bytes + channel.socket_bytes as usize
        })
    }

    /// Returns how many bytes of all tabs a channel's socket holds that have not gone to the network, as last told by
    /// [`ChannelEvent::Buffered`].
    #[must_use]
    pub fn socket_bytes(&self, id: ChannelId) -> u32 {
        self.channels
            .get(&id)
            .map_or(0, |channel| channel.socket_bytes)
    }

    /// Returns how many greetings a channel has. A worker takes [`limits::MAX_GREETINGS`].
    #[must_use]
    pub fn greetings(&self, id: ChannelId) -> usize {
        self.channels
            .get(&id)
            .map_or(0, |channel| channel.greetings.len())
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
        self.order(channel, ToWorker::Delay { channel, delay });
    }

    /// Asks for a new socket now.
    pub fn reconnect(&mut self, channel: ChannelId) {
        self.order(channel, ToWorker::Reconnect { channel });
    }

    /// Answers a [`ChannelEvent::NeedCredential`]; `None` when there is none.
    pub fn credential(&mut self, channel: ChannelId, request: u32, credential: Option<Credential>) {
        let answer = ToWorker::Credential {
            channel,
            request,
            credential,
        };
        self.say_of_open(channel, answer);
    }

    /// Ends the connection for all its tabs, with [`StopReason::LoggedOut`](onesocket_protocol::StopReason::LoggedOut). What is
    /// queued may wait for an open socket for as long as `drain` says. It holds until a worker has done it, also the next one, and also
    /// when the channel is [closed](Self::close) meanwhile.
    pub fn log_out(&mut self, id: ChannelId, drain: Option<Millis>) {
        if let Some(channel) = self.channels.get_mut(&id).filter(|c| !c.closing) {
            channel.log_out = Some(drain);
            self.say(ToWorker::LogOut { channel: id, drain });
        }
    }

    /// Returns whether a channel that is closed is to be logged out, and no worker has done it yet: a page that does not need its
    /// session any more should keep it for a moment.
    #[must_use]
    pub fn owes_log_out(&self) -> bool {
        let owes = |channel: &Channel| channel.closing && channel.log_out.is_some();
        self.channels.values().any(owes)
    }

    /// Returns whether a channel is open that is one socket: it gives up after one dial, and its queue holds no message. A change of worker, such as a
    /// [`hand_over`](Self::hand_over), would end what it is for.
    #[must_use]
    pub fn holds_one_socket(&self) -> bool {
        let mut open = self.channels.values().filter(|c| !c.closing);
        open.any(Channel::is_one_socket)
    }

    /// Closes the socket by a code of the app's and ends the loop, for all its tabs, with
    /// [`StopReason::Closed`](onesocket_protocol::StopReason::Closed). The code 1005 stands for none. A worker that was given the order and is
    /// lost takes it along.
    pub fn close_socket(&mut self, id: ChannelId, code: u16, reason: String) {
        let close = ToWorker::Close {
            channel: id,
            code,
            reason,
        };
        self.order(id, close);
    }

    /// Asks for a [`TabOutput::Pong`].
    pub fn ping(&mut self, nonce: u32) {
        self.unposted
            .push_back(Unposted::Message(ToWorker::Ping { nonce }));
    }

    /// Turns the worker's debug log on or off.
    pub fn set_debug(&mut self, level: DebugLevel) {
        self.debug = level;
        self.say(ToWorker::SetDebug { level });
    }

    /// Says how much the tab wants to see of its worker, and asks for a survey of it.
    pub fn inspect(&mut self, sight: Sight) {
        self.sight = sight;
        self.say(ToWorker::Inspect { sight });
    }

    /// Passes on the page's `online` and `offline` events.
    pub fn handle_network(&mut self, online: bool) {
        self.online = Some(online);
        self.say(ToWorker::Network { online });
    }

    /// Passes on that the page has become visible, has come back from the back/forward cache, or is online again: the worker
    /// looks whether its sockets are alive, and dials at once where it waits.
    pub fn wake(&mut self) {
        self.say(ToWorker::Wake);
    }

    /// Passes on that the tab holds the Web Lock of its token from now on.
    pub fn hold_lock(&mut self) {
        self.holds_lock = true;
        if matches!(self.phase, Phase::Live(_)) {
            let news = self.news_of_lock();
            self.unposted.extend(news);
        }
    }

    /// Says how often the tab wants to be posted messages.
    pub fn set_pace(&mut self, pace: Pace) {
        if core::mem::replace(&mut self.pace, pace) != pace {
            self.say(ToWorker::Pace(pace));
        }
    }

    /// Puts off the acknowledgement of what the worker has posted, or gives it with the next drain: while the app has not read what has come it gets
    /// no more, which waits in the worker, where it is bounded. Not while a channel waits for its last word.
    pub fn withhold(&mut self, is_withholding: bool) {
        if let Phase::Live(live) = &mut self.phase {
            let is_closing = |(_, channel): (&ChannelId, &Channel)| channel.closing;
            let withholds = is_withholding && !self.channels.iter().any(is_closing);
            live.outbox.withhold(withholds);
        }
    }

    /// Returns the next thing to do; `None` ends the drain.
    pub fn poll_output(&mut self) -> Option<TabOutput<'_>> {
        if let Some(parting) = self.parting.take() {
            self.posting = parting;
            return Some(TabOutput::Post(&self.posting));
        }
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

    /// Returns the next thing to tell, and posts nothing: the acknowledgement of a frame can then leave together with what the app
    /// answers to it. `None` ends it; [`poll_output`](Self::poll_output) must be drained soon after. A session that is between two workers
    /// tells nothing here, because what it tells then comes after what it posts.
    pub fn poll_news(&mut self) -> Option<TabOutput<'static>> {
        match self.phase {
            Phase::Live(_) => self.outputs.pop_front(),
            _ => None,
        }
    }

    /// Moves what is unposted into a batch, if one may leave now. Not earlier: what is in no batch is certainly not sent.
    fn fill_batch(&mut self) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        if self.is_hushed || !live.outbox.is_idle() {
            return;
        }
        for _ in 0..MOST_AT_ONCE {
            if live.outbox.backlog_bytes() + HEADER_BYTES >= limits::FULL_BATCH_BYTES {
                break;
            }
            let Some(message) = self.unposted.pop_front() else {
                break;
            };
            pass_on(&mut live.outbox, &mut self.channels, message);
        }
    }

    /// Tells a worker that knows nothing everything that it must know, in front of what is unposted.
    fn introduce(&mut self) {
        let mut introduction = VecDeque::new();
        introduction.extend(self.news_of_lock());
        if self.sight != Sight::Off {
            introduction.push_back(Unposted::Message(ToWorker::Inspect { sight: self.sight }));
        }
        if self.debug != DebugLevel::Off {
            introduction.push_back(Unposted::Message(ToWorker::SetDebug { level: self.debug }));
        }
        // Online too: the tab that has said offline may be gone by now.
        if let Some(online) = self.online {
            introduction.push_back(Unposted::Message(ToWorker::Network { online }));
        }
        if self.pace != Pace::default() {
            introduction.push_back(Unposted::Message(ToWorker::Pace(self.pace)));
        }
        let mut say = |message| introduction.push_back(Unposted::Message(message));
        // In front of the others, which may have been opened since for the next log-in.
        for (id, closing) in self.channels.iter().filter(|(_, c)| c.closing) {
            if let Some(drain) = closing.log_out {
                let channel = *id;
                say(closing.connect(channel));
                say(ToWorker::LogOut { channel, drain });
                say(ToWorker::Disconnect { channel });
            }
        }
        for (id, channel) in self.channels.iter().filter(|(_, c)| !c.closing) {
            introduction.push_back(Unposted::Message(channel.connect(*id)));
            introduction.extend(channel.greetings.values().map(|greeting| {
                Unposted::Message(ToWorker::Greet {
                    channel: *id,
                    greeting: Greeting::clone(greeting),
                })
            }));
        }
        introduction.append(&mut self.unposted);
        for (id, channel) in self.channels.iter().filter(|(_, c)| !c.closing) {
            if let Some(drain) = channel.log_out {
                let channel = *id;
                introduction.push_back(Unposted::Message(ToWorker::LogOut { channel, drain }));
            }
        }
        self.unposted = introduction;
    }

    fn news_of_lock(&mut self) -> Option<Unposted> {
        let is_news = self.holds_lock && !core::mem::replace(&mut self.has_told_of_lock, true);
        is_news.then_some(Unposted::Message(ToWorker::HoldsLock))
    }

    fn finish_hand_over(&mut self) {
        let Phase::HandingOver(HandingOver { live, held, .. }) = &mut self.phase else {
            return;
        };
        if held.is_empty() {
            live.outbox.push(&ToWorker::Bye);
            if live.outbox.prepare_last_frame() {
                self.parting = Some(live.outbox.prepared_frame().to_vec());
            }
            self.detach(Loss::Unknown);
            self.outputs.push_back(TabOutput::HandedOver);
        }
    }

    /// Says something that a welcome would bring anyway.
    fn say(&mut self, message: ToWorker) {
        if matches!(self.phase, Phase::Live(_)) {
            self.unposted.push_back(Unposted::Message(message));
        }
    }

    fn say_of_open(&mut self, channel: ChannelId, message: ToWorker) {
        if self.is_open(channel) {
            self.say(message);
        }
    }

    /// Asks for something once, which no welcome brings: it waits for the worker that it can be given to.
    fn order(&mut self, channel: ChannelId, message: ToWorker) {
        if !matches!(self.phase, Phase::Failed(_)) && self.is_open(channel) {
            self.unposted.push_back(Unposted::Message(message));
        }
    }

    fn is_open(&self, channel: ChannelId) -> bool {
        let channel = self.channels.get(&channel);
        channel.is_some_and(|channel| !channel.closing)
    }

    fn tell(&mut self, channel: ChannelId, event: ChannelEvent) {
        self.outputs.push_back(TabOutput::Event { channel, event });
    }
}

/// Puts what was put off into a batch. From here on the worker may have it.
fn pass_on(outbox: &mut Outbox, channels: &mut LiteMap<ChannelId, Channel>, unposted: Unposted) {
    match unposted {
        Unposted::Message(message) => outbox.push(&message),
        Unposted::Send(id, mut pending) => {
            outbox.push(&pending.outgoing(id));
            pending.batch = outbox.last_pushed_seq();
            if let Some(channel) = channels.get_mut(&id) {
                channel.unconfirmed.push_back(pending);
            }
        }
    }
}

/// Messages of one batch. A worker hands them to a socket in one go, at about 8 µs each in Chromium, and the other tabs wait meanwhile.
const MOST_AT_ONCE: u32 = 4_096;

/// Bytes of payloads that may be without a receipt in one tab. They are kept twice for a moment, here and in a batch, and
/// wasm memory never shrinks.
const MAX_UNSETTLED_BYTES: usize = 128 * 1024 * 1024;
