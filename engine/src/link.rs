//! One connection: the tabs that share it, what they want sent, and what they are told.
//!
//! The life of its sockets is in [`lifecycle`].

use std::rc::Rc;

use fastrand::Rng;
use litemap::LiteMap;
use onesocket_protocol::{
    ChannelId, Greeting, GreetingId, LinkKey, LinkState, LogEntry, Millis, Payload, ReconnectCause,
    Replay, SendFailure, SendId, StatedPolicy, Status, StopReason, ToTab, ToWorker, WorkerError,
    inspect::LinkSurvey, limits,
};

use crate::{Fifo, Output, PortId, SocketId, Time, port::Ports};

mod auth;
mod backoff;
mod buffered;
mod dials;
mod give_up;
mod greetings;
mod heartbeat;
mod history;
mod latest;
mod life;
mod lifecycle;
mod offline;
mod packed;
mod parcel;
mod queue;
mod received;
mod timers;
mod wake;

use auth::Credentials;
use buffered::Buffered;
use dials::Dials;
use greetings::Greetings;
use history::History;
use life::Life;
use lifecycle::State;
use queue::{Queue, Queued};
use timers::{Timer, Timers};
pub(crate) use wake::{Sleep, Waking};

/// A channel of a tab, as its connection knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Member {
    pub(crate) port: PortId,
    pub(crate) channel: ChannelId,
}

/// What a connection is lent while it reacts.
#[derive(Debug)]
pub(crate) struct Ctx<'a> {
    pub(crate) now: Time,
    pub(crate) online: bool,
    pub(crate) rng: &'a mut Rng,
    pub(crate) next_socket: &'a mut u32,
    pub(crate) ports: &'a mut Ports,
    pub(crate) outputs: &'a mut Fifo<Output<'static>>,
    #[cfg(feature = "transcode")]
    pub(crate) transcode: Option<&'a crate::Transcode>,
}

impl Ctx<'_> {
    fn tell(&mut self, member: Member, message: &ToTab) {
        self.ports.tell(member.port, message);
    }

    fn complain(&mut self, member: Member, error: WorkerError) {
        let channel = Some(member.channel);
        self.tell(member, &ToTab::Error { channel, error });
    }

    fn transmit(&mut self, socket: SocketId, payload: Payload) {
        self.outputs.push(Output::Transmit {
            socket,
            payload,
            is_credential: false,
        });
    }

    fn close(&mut self, socket: SocketId, code: u16, reason: &'static str) {
        self.outputs.push(Output::Close {
            socket,
            code,
            reason,
        });
    }
}

/// Stands for the channel of each member, in what all are told.
const EVERY: ChannelId = ChannelId(0);

#[derive(Debug)]
pub(crate) struct Link {
    key: Rc<LinkKey>,
    /// What is dialled: the key, or what a credential puts in place of its parts.
    dialled: Rc<LinkKey>,
    policy: Rc<StatedPolicy>,
    credentials: Credentials,
    state: State,
    timers: Timers,
    members: LiteMap<Member, MemberState>,
    /// What is to be asked on behalf of members that have joined lately.
    asks: Vec<(Member, Ask)>,
    /// Up to where sends were handed to the socket since the last receipt.
    receipts_due: Vec<(Member, SendId)>,
    greetings: Greetings,
    queue: Queue,
    history: History,
    buffered: Buffered,
    dials: Dials,
    life: Life,
    /// While no socket is open, and the browser says that it is offline: why there is none. The tabs hear of no dial meanwhile.
    offline: Option<ReconnectCause>,
    /// What is left of the give-up policy's time while it is halted: the browser is offline, or a socket open that may last.
    give_up_left: Option<Millis>,
}

#[derive(Debug)]
struct MemberState {
    joined: Time,
    /// What its client wants of the connection, whatever it has got.
    policy: Rc<StatedPolicy>,
    /// The number of its last send; 0 before the first.
    last_id: u64,
}

/// What to ask the server on a member's behalf. It waits for a second frame of the tab, because the tab's greetings go first
/// and may not be in the frame that opens the channel; a second one always comes: the answer to the first is acknowledged.
#[derive(Debug)]
enum Ask {
    AfterNextFrame(Payload),
    AfterThisFrame(Payload),
}

impl Link {
    pub(crate) fn new(key: LinkKey, policy: Rc<StatedPolicy>) -> Self {
        let key = Rc::new(key);
        Self {
            dialled: key.clone(),
            key,
            policy,
            credentials: Credentials::default(),
            state: State::Idle,
            timers: Timers::default(),
            members: LiteMap::new(),
            asks: Vec::new(),
            receipts_due: Vec::new(),
            greetings: Greetings::default(),
            queue: Queue::default(),
            history: History::default(),
            buffered: Buffered::default(),
            dials: Dials::default(),
            life: Life::default(),
            offline: None,
            give_up_left: None,
        }
    }

    /// The ports of its members; one that has several channels comes as often.
    pub(crate) fn ports(&self) -> impl Iterator<Item = PortId> {
        self.members.keys().map(|member| member.port)
    }

    pub(crate) fn key(&self) -> &LinkKey {
        &self.key
    }

    /// A tab joins. A connection that has stopped, or is about to, starts anew.
    pub(crate) fn join(
        &mut self,
        ctx: &mut Ctx<'_>,
        member: Member,
        policy: &Rc<StatedPolicy>,
        replay: Replay,
    ) {
        if self.is_ending() {
            // At once, so that it is not ended with those who are there.
            self.break_off(ctx);
        }
        let policy_differs = !self.members.is_empty() && !policy.is_stated_as(&self.policy);
        if self.members.is_empty() {
            // Nobody is left who could rely on the old one.
            self.adopt(ctx, policy);
        }
        self.history.grow(&replay);
        if !self.is_running() {
            self.start(ctx);
        }
        let state = MemberState {
            joined: ctx.now,
            policy: Rc::clone(policy),
            last_id: 0,
        };
        self.members.insert(member, state);
        if self.is_policy_wanted() {
            self.timers.stop(Timer::Linger);
        }
        ctx.tell(
            member,
            &ToTab::Attached {
                channel: member.channel,
                status: self.status(ctx.now),
            },
        );
        if policy_differs {
            ctx.complain(member, WorkerError::PolicyDiffers);
        }
        if let State::Open(open) = &self.state {
            let channel = member.channel;
            ctx.tell(
                member,
                &ToTab::Connected {
                    channel,
                    subprotocol: open.subprotocol.clone(),
                },
            );
            self.replay(ctx, member, replay);
        }
        self.on_newcomer(ctx);
    }

    /// A tab has brought another policy: what runs by the old one ends.
    fn adopt(&mut self, ctx: &mut Ctx<'_>, policy: &Rc<StatedPolicy>) {
        if self.policy.is_stated_as(policy) {
            return;
        }
        let asked = self.policy.auth.ask.is_some();
        self.policy = Rc::clone(policy);
        if asked && self.policy.auth.ask.is_none() {
            self.end_asking(ctx);
        }
        self.timers.stop(Timer::Heartbeat);
        self.timers.stop(Timer::Pong);
        if let State::Open(open) = &mut self.state {
            open.awaited = None;
            self.watch_heartbeat(ctx.now);
        }
        self.give_up_left = None;
        self.timers.stop(Timer::GiveUp);
        if matches!(
            self.state,
            State::Waiting(_) | State::Dialling(_) | State::Asking(_)
        ) {
            self.watch_give_up(ctx.now);
        }
        self.watch_queue();
    }

    /// What a tab says on a channel, but for the words that open one.
    pub(crate) fn on_message(&mut self, ctx: &mut Ctx<'_>, member: Member, message: ToWorker) {
        match message {
            ToWorker::Send {
                id, keep, payload, ..
            } => self.send(ctx, member, id, payload, keep),
            message => self.on_rare_message(ctx, member, message),
        }
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn on_rare_message(&mut self, ctx: &mut Ctx<'_>, member: Member, message: ToWorker) {
        match message {
            ToWorker::Acknowledge { id, .. } => self.acknowledge(member, id),
            ToWorker::GetStatus { .. } => self.answer_status(ctx, member),
            ToWorker::Greet { greeting, .. } => self.greet(ctx, member, greeting),
            ToWorker::Ungreet { greeting, .. } => self.drop_greetings(ctx, member, Some(greeting)),
            ToWorker::Delay { delay, .. } => self.delay(ctx, delay),
            ToWorker::Reconnect { .. } => self.on_reconnect(ctx, member),
            ToWorker::Credential {
                request,
                credential,
                ..
            } => self.on_credential(ctx, member, request, credential),
            ToWorker::LogOut { drain, .. } => self.log_out(ctx, drain),
            ToWorker::Close { code, reason, .. } => self.close(ctx, code, reason),
            ToWorker::Disconnect { .. } => self.leave(ctx, member),
            // Read above, or no channel's.
            ToWorker::Send { .. }
            | ToWorker::Connect(_)
            | ToWorker::Ping { .. }
            | ToWorker::SetDebug { .. }
            | ToWorker::Bye
            | ToWorker::Network { .. }
            | ToWorker::Pace(_)
            | ToWorker::Inspect { .. }
            | ToWorker::Wake
            | ToWorker::HoldsLock => {}
        }
    }

    fn replay(&mut self, ctx: &mut Ctx<'_>, member: Member, replay: Replay) {
        match replay {
            Replay::None => {}
            Replay::Last { messages, bytes } => {
                for payload in self.history.last(messages, bytes) {
                    let payload = payload.clone();
                    ctx.tell(
                        member,
                        &ToTab::Message {
                            channel: member.channel,
                            replayed: true,
                            payload,
                        },
                    );
                }
            }
            Replay::Ask(payload) => {
                self.asks.push((member, Ask::AfterNextFrame(payload)));
            }
        }
    }

    /// A tab's client leaves by its own will: what it has queued is returned to it.
    fn leave(&mut self, ctx: &mut Ctx<'_>, member: Member) {
        self.flush_receipts(ctx);
        for queued in self.queue.remove_member(member) {
            self.tell_failed(ctx, member, queued.id, SendFailure::Disconnected);
        }
        self.remove(ctx, member);
        ctx.tell(
            member,
            &ToTab::Detached {
                channel: member.channel,
            },
        );
    }

    /// A tab is gone. What it has queued is still sent if the connection lives on: its user has pressed the button.
    pub(crate) fn abandon(&mut self, ctx: &mut Ctx<'_>, member: Member) {
        // What an open socket was handed is on its way. What it was handed in vain goes once more, in front of what is queued:
        // the order of the tab's sends is the same.
        if matches!(self.state, State::Open(_)) {
            self.queue.drop_kept(member);
        } else {
            self.queue.release_kept(member);
        }
        self.remove(ctx, member);
    }

    /// Returns whether a tab has a channel here.
    pub(crate) fn has_member(&self, port: PortId) -> bool {
        self.members.keys().any(|member| member.port == port)
    }

    fn remove(&mut self, ctx: &mut Ctx<'_>, member: Member) {
        self.members.remove(&member);
        self.asks.retain(|(of, _)| *of != member);
        self.receipts_due.retain(|(of, _)| *of != member);
        self.forget_asked(ctx, member);
        self.drop_greetings(ctx, member, None);
        if self.members.is_empty() {
            self.timers.stop(Timer::Linger);
        }
        // Not at once, or a tab that is loaded anew would find another one.
        if !self.is_policy_wanted() && !self.timers.is_running(Timer::Linger) {
            self.timers
                .start(Timer::Linger, ctx.now.after(self.policy.linger));
        }
    }

    /// Whether a tab is there that wants the policy that counts.
    fn is_policy_wanted(&self) -> bool {
        let mut members = self.members.values();
        members.any(|member| member.policy.is_stated_as(&self.policy))
    }

    /// When nobody is left who wants the policy that counts, that of the oldest tab does. After a deploy it would else be the old build's for as long as tabs
    /// come and go.
    pub(super) fn follow_those_left(&mut self, ctx: &mut Ctx<'_>) {
        let oldest = self.members.values().min_by_key(|member| member.joined);
        if let Some(policy) = oldest.map(|oldest| Rc::clone(&oldest.policy)) {
            self.adopt(ctx, &policy);
            if matches!(self.state, State::Idle) {
                self.start(ctx);
            } else if policy.auth.ask.is_some() {
                // Perhaps nobody could be asked before.
                self.on_newcomer(ctx);
            }
        }
    }

    /// Whether nothing is left of it: no tab, no socket, no linger.
    pub(crate) fn is_finished(&self) -> bool {
        self.members.is_empty() && !self.timers.is_running(Timer::Linger)
    }

    fn send(
        &mut self,
        ctx: &mut Ctx<'_>,
        member: Member,
        id: SendId,
        payload: Payload,
        keep: bool,
    ) {
        let Some(state) = self.members.get_mut(&member) else {
            return self.tell_failed(ctx, member, id, SendFailure::UnknownChannel);
        };
        if id.0 <= state.last_id {
            return self.tell_failed(ctx, member, id, SendFailure::OutOfOrder);
        }
        if core::mem::replace(&mut state.last_id, id.0) == 0 {
            self.tell_buffered(ctx, member);
        }
        if self.timers.is_running(Timer::LogOut) {
            let failure = SendFailure::Stopped(StopReason::LoggedOut);
            return self.tell_failed(ctx, member, id, failure);
        }
        let entry = Queued {
            member,
            id,
            payload,
            keep,
            since: ctx.now,
        };
        match &self.state {
            State::Open(open) => {
                if keep && let Err(failure) = self.queue.keep(&self.policy.queue, entry.clone()) {
                    return self.tell_failed(ctx, member, id, failure);
                }
                self.life.sent = ctx.now;
                ctx.transmit(open.socket, entry.payload);
                self.owe_receipt(member, id);
                if keep {
                    self.watch_queue();
                }
            }
            State::Stopped(reason) => {
                let failure = SendFailure::Stopped(reason.clone());
                self.tell_failed(ctx, member, id, failure);
            }
            State::Idle
            | State::Dialling(_)
            | State::Closing(_)
            | State::Waiting(_)
            | State::Offline
            | State::Asking(_)
            | State::NeedsAuth => match self.queue.push(&self.policy.queue, entry) {
                Ok(()) => self.watch_queue(),
                Err(failure) => self.tell_failed(ctx, member, id, failure),
            },
        }
    }

    /// The server has acknowledged a send that was kept.
    fn acknowledge(&mut self, member: Member, id: SendId) {
        self.queue.acknowledge(member, id);
        self.watch_queue();
    }

    fn greet(&mut self, ctx: &mut Ctx<'_>, member: Member, greeting: Greeting) {
        if self.greetings.count(member) >= limits::MAX_GREETINGS {
            return ctx.complain(member, WorkerError::TooManyGreetings);
        }
        let first = self.greetings.add(member, greeting);
        if let (State::Open(open), Some(payload)) = (&self.state, first) {
            self.life.sent = ctx.now;
            ctx.transmit(open.socket, payload);
        }
    }

    fn drop_greetings(&mut self, ctx: &mut Ctx<'_>, member: Member, greeting: Option<GreetingId>) {
        let farewells = self.greetings.remove(member, greeting);
        if let State::Open(open) = &self.state {
            for farewell in farewells {
                self.life.sent = ctx.now;
                ctx.transmit(open.socket, farewell);
            }
        }
    }

    /// Returns whether anything is to be done at the end of a tab's frame.
    pub(crate) fn has_put_off(&self) -> bool {
        !self.asks.is_empty() || !self.receipts_due.is_empty()
    }

    /// The end of a tab's frame: what was put off until then.
    pub(crate) fn finish_frame(&mut self, ctx: &mut Ctx<'_>, port: PortId) {
        for (member, ask) in core::mem::take(&mut self.asks) {
            let ask = match ask {
                ask if member.port != port => ask,
                Ask::AfterNextFrame(payload) => Ask::AfterThisFrame(payload),
                Ask::AfterThisFrame(payload) => {
                    // Without an open socket there is nothing that the member has missed.
                    if let State::Open(open) = &self.state {
                        self.life.sent = ctx.now;
                        ctx.transmit(open.socket, payload);
                    }
                    continue;
                }
            };
            self.asks.push((member, ask));
        }
        self.flush_receipts(ctx);
    }

    /// Hands what is kept and what is queued to the open socket, in order.
    fn flush_queue(&mut self, ctx: &mut Ctx<'_>, socket: SocketId) {
        // The timer may be late.
        self.expire_queue(ctx);
        self.queue
            .hand_kept(|payload| ctx.transmit(socket, payload));
        while let Some(queued) = self.queue.pop() {
            let Member { port, channel } = queued.member;
            if self.members.contains_key(&queued.member) {
                self.owe_receipt(queued.member, queued.id);
                ctx.ports.announce(port, channel, queued.id);
            }
            ctx.transmit(socket, queued.payload);
        }
        self.watch_queue();
        self.flush_receipts(ctx);
    }

    fn owe_receipt(&mut self, member: Member, id: SendId) {
        match self.receipts_due.iter_mut().find(|(of, _)| *of == member) {
            Some((_, through)) => *through = id,
            None => self.receipts_due.push((member, id)),
        }
    }

    fn flush_receipts(&mut self, ctx: &mut Ctx<'_>) {
        for (member, through) in self.receipts_due.drain(..) {
            let channel = member.channel;
            ctx.tell(member, &ToTab::Sent { channel, through });
        }
    }

    fn expire_queue(&mut self, ctx: &mut Ctx<'_>) {
        let timeout = self.policy.queue.timeout;
        while let Some(queued) = self.queue.pop_expired(ctx.now, timeout) {
            self.tell_failed(ctx, queued.member, queued.id, SendFailure::Expired);
        }
        self.watch_queue();
    }

    fn watch_queue(&mut self) {
        match self.queue.next_expiry(self.policy.queue.timeout) {
            Some(at) => self.timers.start(Timer::QueueTimeout, at),
            None => self.timers.stop(Timer::QueueTimeout),
        }
    }

    fn fail_queue(&mut self, ctx: &mut Ctx<'_>, failure: &SendFailure) {
        // What is kept was handed over, and without its receipt would be told as if it had not been.
        self.flush_receipts(ctx);
        while let Some(queued) = self.queue.take() {
            self.tell_failed(ctx, queued.member, queued.id, failure.clone());
        }
        self.timers.stop(Timer::QueueTimeout);
    }

    fn tell_failed(&self, ctx: &mut Ctx<'_>, member: Member, id: SendId, failure: SendFailure) {
        ctx.tell(
            member,
            &ToTab::Failed {
                channel: member.channel,
                id,
                failure,
            },
        );
    }

    /// Tells all members what is said to [`EVERY`] channel.
    fn tell_all(&self, ctx: &mut Ctx<'_>, mut message: ToTab) {
        let is_for_senders = matches!(message, ToTab::Buffered { .. });
        for (member, state) in self.members.iter() {
            // Whoever only listens need not be woken.
            if is_for_senders && state.last_id == 0 {
                continue;
            }
            message.redirect(member.channel);
            ctx.tell(*member, &message);
        }
    }

    fn tell_status(&self, ctx: &mut Ctx<'_>) {
        let status = self.status(ctx.now);
        let channel = EVERY;
        self.tell_all(ctx, ToTab::Status { channel, status });
    }

    fn answer_status(&self, ctx: &mut Ctx<'_>, member: Member) {
        ctx.tell(
            member,
            &ToTab::Status {
                channel: member.channel,
                status: self.status(ctx.now),
            },
        );
    }

    fn status(&self, now: Time) -> Status {
        Status {
            state: self.link_state(now),
            tabs: self.tabs(),
            queued_messages: self.queue.messages(),
            queued_bytes: self.queue.bytes(),
            dials: self.dials.count,
            round_trip: self.life.round_trip,
        }
    }

    pub(crate) fn survey(&self, link: u32, now: Time) -> LogEntry {
        let mut status = self.status(now);
        if let LinkState::Connected { subprotocol, .. } = &mut status.state {
            // It may be a token.
            subprotocol.clear();
        }
        let socket = self.socket().map_or(0, |socket| socket.0);
        let oldest = self.queue.age(now).0;
        LinkSurvey::entry(link, socket, oldest, &status, &self.key.url)
    }

    fn link_state(&self, now: Time) -> LinkState {
        if self.offline.is_some() {
            let attempt = self.next_attempt();
            return LinkState::Offline { attempt };
        }
        match &self.state {
            State::Asking(_) if self.is_asking_quietly() => self.unauthenticated(),
            State::Idle
            | State::Offline
            | State::Asking(_)
            | State::Dialling(_)
            | State::Closing(_) => LinkState::Connecting {
                attempt: self.dials.attempt,
            },
            State::Open(open) => LinkState::Connected {
                subprotocol: open.subprotocol.clone(),
                uptime: now.since(open.since),
            },
            State::Waiting(waiting) => LinkState::Reconnecting {
                attempt: self.next_attempt(),
                delay: self
                    .timers
                    .deadline(Timer::Dial)
                    .map_or(Millis(0), |at| at.since(now)),
                cause: waiting.cause.clone(),
            },
            State::NeedsAuth => self.unauthenticated(),
            State::Stopped(reason) => LinkState::Stopped(reason.clone()),
        }
    }

    /// Members are ordered by port, so a tab's channels stand side by side.
    fn tabs(&self) -> u32 {
        let mut tabs = 0;
        let mut last = None;
        for member in self.members.keys() {
            if last != Some(member.port) {
                tabs += 1;
                last = Some(member.port);
            }
        }
        tabs
    }

    pub(crate) fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }
}
