//! The life of a connection's sockets: dial, open, lose, wait, dial again, stop.

use onesocket_protocol::{CloseInfo, Millis, ReconnectCause, SendFailure, StopReason, ToTab};

use super::{
    Ctx, EVERY, Link, Member, Timer, auth::Asking, backoff, buffered::Buffered,
    heartbeat::AwaitedPong,
};
use crate::{DialRefusal, Input, Output, SocketId, Time};

/// What a connection is doing. Each state has only its own data.
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing was asked of it yet.
    Idle,
    Dialling(Dialling),
    Open(Open),
    Closing(Closing),
    Waiting(Waiting),
    /// The browser says that it is offline. It may be wrong, so a dial comes all the same.
    Offline,
    Asking(Asking),
    /// Nobody has a credential that is not refused.
    NeedsAuth,
    Stopped(StopReason),
}

#[derive(Debug)]
pub(crate) struct Dialling {
    socket: SocketId,
    /// Of a bare dial: what became of the one before, with subprotocols.
    pub(super) bare_behind: Option<ReconnectCause>,
}

#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) socket: SocketId,
    pub(crate) since: Time,
    pub(crate) subprotocol: String,
    pub(super) awaited: Option<AwaitedPong>,
    /// Whether a tab wants another one, as soon as the browser is online.
    pub(super) is_unwanted: bool,
}

/// The socket takes nothing any more, and its close event has not said why yet.
#[derive(Debug)]
pub(crate) struct Closing {
    socket: SocketId,
    by: ClosedBy,
}

/// Who has begun to close a socket.
#[derive(Debug)]
enum ClosedBy {
    /// The server, or the browser.
    Server,
    /// A tab, which ends the loop.
    Tab,
}

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) cause: ReconnectCause,
}

/// The close code that says to the server: this client is done, all is well.
pub(super) const NORMAL_CLOSURE: u16 = 1000;

/// In the private range (RFC 6455, section 7.4.2), because a page may only close with 1000 or 3000 to 4999
/// ([WHATWG](https://websockets.spec.whatwg.org/#dom-websocket-close)).
pub(super) const CLOSE_REPLACED: u16 = 4900;

impl Link {
    /// Whether the loop is doing something, or waits to.
    pub(super) fn is_running(&self) -> bool {
        !matches!(self.state, State::Idle | State::Stopped(_))
    }

    /// Starts the loop, from nothing or after a stop.
    pub(super) fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.dials.begin_anew(Millis(0));
        self.give_up_left = None;
        self.timers.stop(Timer::GiveUp);
        self.offline = None;
        if self.may_start(ctx) {
            self.watch_give_up(ctx.now);
            self.dial_when_allowed(ctx, ReconnectCause::Requested);
        } else {
            self.go_offline(ctx, ReconnectCause::Offline);
        }
    }

    /// Whether neither the browser nor the server says that dialling is pointless now.
    pub(super) fn may_dial(&self, ctx: &Ctx<'_>) -> bool {
        ctx.online && self.dials.not_before.is_none_or(|at| at <= ctx.now)
    }

    /// Dials now, or some time after the server wants to be dialled again.
    pub(super) fn dial_when_allowed(&mut self, ctx: &mut Ctx<'_>, cause: ReconnectCause) {
        match self.dials.not_before.filter(|at| *at > ctx.now) {
            Some(until) => self.wait(ctx, until, cause),
            None => self.dial(ctx),
        }
    }

    /// Dials, once there is a credential if one is needed.
    pub(super) fn dial(&mut self, ctx: &mut Ctx<'_>) {
        if self.policy.auth.ask.is_some() {
            return self.ask(ctx);
        }
        self.dial_with(ctx, None);
        self.tell_status(ctx);
    }

    pub(super) fn dial_with(&mut self, ctx: &mut Ctx<'_>, bare_behind: Option<ReconnectCause>) {
        let offer_subprotocols = bare_behind.is_none();
        if offer_subprotocols && self.dials.last.replace(ctx.now) == Some(ctx.now) {
            // A small frame may stop the loop and start it again ten thousand times, and each dial has a URL of its own.
            self.timers.start(Timer::Dial, ctx.now.after(Millis(1)));
            let cause = ReconnectCause::Requested;
            return self.state = State::Waiting(Waiting { cause });
        }
        let socket = SocketId(*ctx.next_socket);
        *ctx.next_socket += 1;
        self.dials.count += 1;
        self.dials.fruitless += u32::from(offer_subprotocols && self.offline.is_none());
        // Finding a credential may have taken long.
        self.dials.requested = self.dials.requested.map(|_| ctx.now);
        self.dials.not_before = None;
        self.timers.stop(Timer::Dial);
        // At least a moment: a policy of nothing but zeros would dial for ever within one tick.
        let timeout = self.policy.connect_timeout.max(Millis(1));
        self.timers
            .start(Timer::ConnectTimeout, ctx.now.after(timeout));
        let subprotocols: &[String] = match offer_subprotocols {
            true => &self.dialled.subprotocols,
            false => &[],
        };
        ctx.outputs.push(Output::Dial {
            socket,
            url: self.dialled.url.clone(),
            subprotocols: subprotocols.to_vec(),
            key: self.key.clone(),
        });
        self.state = State::Dialling(Dialling {
            socket,
            bare_behind,
        });
    }

    /// The socket that inputs may be about.
    pub(crate) fn socket(&self) -> Option<SocketId> {
        match &self.state {
            State::Dialling(dialling) => Some(dialling.socket),
            State::Open(open) => Some(open.socket),
            State::Closing(closing) => Some(closing.socket),
            State::Idle
            | State::Waiting(_)
            | State::Offline
            | State::Asking(_)
            | State::NeedsAuth
            | State::Stopped(_) => None,
        }
    }

    /// Takes what a socket says, but for messages.
    pub(crate) fn on_socket(&mut self, ctx: &mut Ctx<'_>, input: Input) {
        match input {
            Input::SocketOpened { subprotocol, .. } => self.on_opened(ctx, subprotocol),
            Input::SocketClosing(_) => self.on_closing(ctx),
            Input::SocketClosed {
                code,
                reason,
                was_clean,
                ..
            } => {
                let close = CloseInfo {
                    code,
                    reason,
                    was_clean,
                };
                self.on_closed(ctx, close);
            }
            Input::Buffered { bytes, .. } => self.on_buffered(ctx, bytes),
            Input::DialRefused { refusal, .. } => self.on_dial_refused(ctx, refusal),
            // Read by the engine, or no socket's.
            Input::Received { .. }
            | Input::Gathered { .. }
            | Input::ReceivedParcel { .. }
            | Input::PortOpened(_)
            | Input::Frame { .. }
            | Input::PortClosed(_)
            | Input::Network { .. }
            | Input::Slept(_)
            | Input::Tick => {}
        }
    }

    fn on_opened(&mut self, ctx: &mut Ctx<'_>, subprotocol: String) {
        let State::Dialling(dialling) = &self.state else {
            return;
        };
        let socket = dialling.socket;
        // Chromium fails a handshake in which the server takes none of the subprotocols, others open the socket without one.
        let offered = &self.dialled.subprotocols;
        let accepted = if offered.is_empty() {
            subprotocol.is_empty()
        } else {
            offered.contains(&subprotocol)
        };
        if !accepted {
            ctx.close(socket, NORMAL_CLOSURE, "no subprotocol in common");
            self.dials.are_subprotocols_refused = true;
            return self.lose(ctx, ReconnectCause::SubprotocolRefused);
        }
        // One that only the credential offers is part of it.
        let subprotocol = match self.key.subprotocols.contains(&subprotocol) {
            true => subprotocol,
            false => String::new(),
        };
        self.begin_socket(ctx, socket, subprotocol.clone());
        // This order is promised: a server need take nothing in front of the credential, greetings are in front of what has waited, and a tab knows that
        // it is connected before it has a receipt.
        self.show_credential(ctx, socket);
        self.greet_server(ctx, socket);
        self.tell_connected(ctx, subprotocol);
        self.flush_queue(ctx, socket);
        if self.timers.is_running(Timer::LogOut) {
            return self.finish_log_out(ctx);
        }
        self.tell_status(ctx);
    }

    /// From here on it is open, with nothing known of it yet.
    fn begin_socket(&mut self, ctx: &Ctx<'_>, socket: SocketId, subprotocol: String) {
        self.timers.stop(Timer::ConnectTimeout);
        self.timers.start(
            Timer::Stable,
            ctx.now.after(self.policy.backoff.stable_after),
        );
        self.dials.was_open = true;
        self.dials.are_subprotocols_refused = false;
        self.offline = None;
        self.life.begin(ctx.now);
        self.history.clear();
        self.state = State::Open(Open {
            socket,
            since: ctx.now,
            subprotocol,
            awaited: None,
            is_unwanted: false,
        });
        self.buffered = Buffered::default();
        self.watch_heartbeat(ctx.now);
        self.watch(ctx);
    }

    fn show_credential(&self, ctx: &mut Ctx<'_>, socket: SocketId) {
        if let Some(first) = &self.credentials.first {
            ctx.outputs.push(Output::Transmit {
                socket,
                payload: first.clone(),
                is_credential: true,
            });
        }
    }

    fn greet_server(&self, ctx: &mut Ctx<'_>, socket: SocketId) {
        for payload in self.greetings.payloads() {
            ctx.transmit(socket, payload.clone());
        }
    }

    fn tell_connected(&self, ctx: &mut Ctx<'_>, subprotocol: String) {
        self.tell_all(
            ctx,
            ToTab::Connected {
                channel: EVERY,
                subprotocol,
            },
        );
    }

    /// The socket no longer takes anything.
    fn on_closing(&mut self, ctx: &mut Ctx<'_>) {
        let State::Open(Open { socket, .. }) = self.state else {
            return;
        };
        self.await_close(ctx, socket, ClosedBy::Server, CLOSING_TIMEOUT);
    }

    /// A close event may come behind what the socket holds, as in Firefox, so that is looked at.
    fn await_close(&mut self, ctx: &Ctx<'_>, socket: SocketId, by: ClosedBy, timeout: Millis) {
        self.stop_socket_timers(ctx.now);
        self.timers.start(Timer::Closing, ctx.now.after(timeout));
        self.state = State::Closing(Closing { socket, by });
        // Before it began does not count.
        self.has_drained();
        self.watch(ctx);
    }

    /// A tab ends the loop, with a close of its own words. An open socket is waited for, because its tabs want to know how it ended.
    pub(super) fn close(&mut self, ctx: &mut Ctx<'_>, code: u16, reason: String) {
        match self.state {
            State::Open(Open { socket, .. }) => {
                ctx.outputs.push(Output::Shut {
                    socket,
                    code,
                    reason,
                });
                self.await_close(ctx, socket, ClosedBy::Tab, SHUTTING_TIMEOUT);
            }
            State::Closing(ref mut closing) => closing.by = ClosedBy::Tab,
            State::Stopped(_) => {}
            _ => self.break_off(ctx),
        }
    }

    /// Ends the loop without waiting for the server.
    pub(super) fn break_off(&mut self, ctx: &mut Ctx<'_>) {
        self.drop_socket(ctx, NORMAL_CLOSURE, "");
        self.stop(ctx, StopReason::Closed(no_handshake()));
    }

    /// Whether a tab has ended the loop, and only the server's answer or the queue is waited for.
    pub(super) fn is_ending(&self) -> bool {
        self.is_shutting() || self.timers.is_running(Timer::LogOut)
    }

    fn is_shutting(&self) -> bool {
        matches!(
            self.state,
            State::Closing(Closing {
                by: ClosedBy::Tab,
                ..
            })
        )
    }

    fn on_closed(&mut self, ctx: &mut Ctx<'_>, close: CloseInfo) {
        // First, because a socket that was stable sets the spread anew.
        self.stop_socket_timers(ctx.now);
        let directions = backoff::directions(&close, self.policy.backoff.cap);
        self.dials.spread = self.dials.spread.max(directions.spread);
        if let Some(delay) = directions.delay {
            self.delay(ctx, delay);
        }
        if self.is_shutting() {
            return self.stop(ctx, StopReason::Closed(close));
        }
        // What a server says to a bare dial it says of that one: the loop goes on as behind the dial before.
        if let State::Dialling(dialling) = &mut self.state
            && let Some(cause) = dialling.bare_behind.take()
        {
            self.dials.are_subprotocols_refused = false;
            return self.lose(ctx, cause);
        }
        if self.policy.auth.codes.contains(&close.code) {
            return self.on_credential_refused(ctx, close);
        }
        if self.policy.fatal_codes.contains(&close.code) {
            return self.stop(ctx, StopReason::FatalClose(close));
        }
        if !matches!(self.state, State::Dialling(_)) {
            return self.lose(ctx, ReconnectCause::Closed(close));
        }
        // A server may refuse by opening and closing at once; browsers report a failed handshake as 1006, always.
        let failed = if close.code == ABNORMAL_CLOSURE {
            ReconnectCause::Unreachable
        } else {
            ReconnectCause::Closed(close)
        };
        match failed {
            failed if self.should_dial_bare(ctx) => self.dial_with(ctx, Some(failed)),
            // Until the next bare dial what the last one has found out is the best that is known.
            ReconnectCause::Unreachable if self.dials.are_subprotocols_refused => {
                self.lose(ctx, ReconnectCause::SubprotocolRefused);
            }
            failed => self.lose(ctx, failed),
        }
    }

    /// Browsers say of no failed handshake why it failed. When only the subprotocols can be at fault, a bare dial
    /// finds out; seldom, because it is a second dial, and not for who wants one dial only, or a credential for each.
    fn should_dial_bare(&self, ctx: &Ctx<'_>) -> bool {
        self.may_dial(ctx)
            && self.policy.auth.ask.is_none()
            && !self.members.is_empty()
            && !self.key.subprotocols.is_empty()
            && !self.dials.was_open
            && self.policy.give_up.attempts != Some(1)
            && self.dials.attempt.is_multiple_of(BARE_DIAL_EVERY)
    }

    fn on_dial_refused(&mut self, ctx: &mut Ctx<'_>, refusal: DialRefusal) {
        let reason = match refusal {
            DialRefusal::InvalidUrl => StopReason::InvalidUrl,
            DialRefusal::InvalidSubprotocol => StopReason::InvalidSubprotocol,
            DialRefusal::Insecure => StopReason::InsecureUrl,
        };
        self.stop(ctx, reason);
    }

    /// There is no socket any more, or none could be had: dial again later, unless the policy says that it is enough.
    pub(super) fn lose(&mut self, ctx: &mut Ctx<'_>, cause: ReconnectCause) {
        self.stop_socket_timers(ctx.now);
        self.dials.requested = None;
        if self.members.is_empty() {
            return self.stop(ctx, StopReason::Unused);
        }
        if self.offline.is_some() {
            return self.stay_offline(ctx);
        }
        self.watch_give_up(ctx.now);
        if self.is_enough(ctx.now) {
            return self.give_up(ctx, cause);
        }
        self.dials.attempt = self.dials.attempt.saturating_add(1);
        if !ctx.online {
            return self.go_offline(ctx, cause);
        }
        let from = self.dials.not_before.map_or(ctx.now, |at| at.max(ctx.now));
        self.wait(ctx, from, cause);
    }

    /// Waits a random time from then on. On top of a directed delay, not within it: clients that were told the same delay must not come
    /// back together.
    pub(super) fn wait(&mut self, ctx: &mut Ctx<'_>, from: Time, cause: ReconnectCause) {
        // Whoever gives up after a while has tried before.
        let patience = self.policy.give_up.after.unwrap_or(Millis(u32::MAX));
        let spread = self.dials.spread.min(Millis(patience.0 / 2));
        let until = from.after(backoff::draw(
            &self.policy.backoff,
            self.dials.attempt,
            spread,
            ctx.rng,
        ));
        self.timers.stop(Timer::Credential);
        self.timers.start(Timer::Dial, until);
        self.state = State::Waiting(Waiting {
            cause: cause.clone(),
        });
        self.tell_reconnecting(ctx, Some(until.since(ctx.now)), cause);
    }

    /// Returns which dial in a row comes. It is the first also when none has failed.
    pub(super) fn next_attempt(&self) -> u32 {
        self.dials.attempt.max(1)
    }

    pub(super) fn tell_reconnecting(
        &self,
        ctx: &mut Ctx<'_>,
        delay: Option<Millis>,
        cause: ReconnectCause,
    ) {
        let attempt = self.next_attempt();
        self.tell_all(
            ctx,
            ToTab::Reconnecting {
                channel: EVERY,
                attempt,
                delay,
                cause,
            },
        );
        self.tell_status(ctx);
    }

    /// Ends the loop. What waits in the queue is returned.
    pub(super) fn stop(&mut self, ctx: &mut Ctx<'_>, reason: StopReason) {
        let reason = match self.timers.is_running(Timer::LogOut) {
            true => StopReason::LoggedOut,
            false => reason,
        };
        if matches!(reason, StopReason::LoggedOut) {
            self.forget_account();
        }
        self.stop_socket_timers(ctx.now);
        for timer in [Timer::Dial, Timer::GiveUp, Timer::Credential, Timer::LogOut] {
            self.timers.stop(timer);
        }
        self.dials.requested = None;
        self.offline = None;
        self.state = State::Stopped(reason.clone());
        self.fail_queue(ctx, &SendFailure::Stopped(reason.clone()));
        self.tell_all(
            ctx,
            ToTab::Disconnected {
                channel: EVERY,
                reason,
            },
        );
        self.tell_status(ctx);
    }

    pub(super) fn stop_socket_timers(&mut self, now: Time) {
        // A tick may be late, and the socket was stable all the same.
        if self
            .timers
            .deadline(Timer::Stable)
            .is_some_and(|at| at <= now)
        {
            self.on_stable();
        }
        for timer in [
            Timer::ConnectTimeout,
            Timer::Stable,
            Timer::Heartbeat,
            Timer::Pong,
            Timer::Watch,
            Timer::Closing,
        ] {
            self.timers.stop(timer);
        }
    }

    /// Closes the socket, if there is one, without waiting for the server: a half-open one would never answer.
    pub(super) fn drop_socket(&mut self, ctx: &mut Ctx<'_>, code: u16, reason: &'static str) {
        if let Some(socket) = self.socket() {
            ctx.close(socket, code, reason);
        }
    }

    pub(crate) fn on_network(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.online {
            self.dials.forgive();
        }
        if ctx.online
            && let Some(cause) = self.offline.take()
        {
            return self.come_online(ctx, cause);
        }
        match &self.state {
            State::Waiting(waiting) if !ctx.online => {
                let cause = waiting.cause.clone();
                self.go_offline(ctx, cause);
            }
            State::NeedsAuth => self.ask_in_pause(ctx),
            State::Asking(_) if !ctx.online && !self.is_asking_quietly() => {
                self.go_offline(ctx, ReconnectCause::Offline);
            }
            State::Open(open) if ctx.online && open.is_unwanted => self.reconnect(ctx),
            State::Dialling(_) => self.dial_anew(ctx, ctx.now),
            _ => {}
        }
    }

    /// The server wants to be left alone for a while.
    pub(super) fn delay(&mut self, ctx: &mut Ctx<'_>, delay: Millis) {
        let until = ctx.now.after(backoff::clamp_directed(delay));
        self.dials.not_before = self.dials.not_before.max(Some(until));
        let dial = self.timers.deadline(Timer::Dial);
        if dial.is_none_or(|at| at >= until) {
            return;
        }
        match &self.state {
            State::Waiting(waiting) => {
                let cause = waiting.cause.clone();
                self.wait(ctx, until, cause);
            }
            State::Offline => self.stay_offline(ctx),
            _ => {}
        }
    }

    /// The app wants a new socket. One that has said so before it had a worker has what it wants where there is a socket, or one is on its way.
    pub(super) fn on_reconnect(&mut self, ctx: &mut Ctx<'_>, member: Member) {
        let has_just_joined = (self.members.get(&member)).is_some_and(|of| of.joined == ctx.now);
        let is_served = matches!(
            self.state,
            State::Open(_) | State::Dialling(_) | State::Asking(_)
        );
        if has_just_joined && is_served {
            return;
        }
        if !self.is_requested(ctx) {
            return self.reconnect(ctx);
        }
        self.ask_again(member);
    }

    /// Whether what a tab may ask for is under way: a dial that was begun at its wish, or another one's, not long ago.
    fn is_requested(&mut self, ctx: &Ctx<'_>) -> bool {
        let is_under_way = match &self.state {
            State::Dialling(dialling) => dialling.bare_behind.is_none(),
            State::Asking(_) => true,
            _ => false,
        };
        let requested = self.dials.requested;
        let requested = requested.filter(|at| at.after(REQUEST_INTERVAL) > ctx.now);
        // Of the same moment: as when the browser is online again, which the tab has said in the same frame.
        let fresh = requested.or_else(|| self.dials.last.filter(|at| *at == ctx.now));
        if is_under_way && fresh.is_some() {
            self.dials.requested = fresh;
            return true;
        }
        false
    }

    /// Opens a new socket, now or some time after the server wants to be dialled again.
    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.online || !matches!(self.state, State::Dialling(_)) {
            // A dial that is under way offline goes on, and is the one that it was.
            self.dials.requested = Some(ctx.now);
        }
        if !self.is_running() {
            self.start(ctx);
            if self.offline.is_none() {
                return;
            }
        }
        if !ctx.online {
            return self.reconnect_offline(ctx);
        }
        if matches!(self.state, State::Waiting(_)) && !self.may_dial(ctx) {
            return;
        }
        self.drop_socket(ctx, CLOSE_REPLACED, "replaced");
        self.stop_socket_timers(ctx.now);
        self.watch_give_up(ctx.now);
        let has_socket = matches!(self.state, State::Open(_) | State::Closing(_));
        if has_socket && self.may_dial(ctx) {
            let attempt = self.next_attempt();
            self.tell_all(
                ctx,
                ToTab::Reconnecting {
                    channel: EVERY,
                    attempt,
                    delay: Some(Millis(0)),
                    cause: ReconnectCause::Requested,
                },
            );
        }
        self.dial_when_allowed(ctx, ReconnectCause::Requested);
    }

    pub(crate) fn on_tick(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(timer) = self.timers.take_due(ctx.now) {
            self.on_timer(ctx, timer);
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Dial => self.dial(ctx),
            Timer::ConnectTimeout => {
                self.drop_socket(ctx, NORMAL_CLOSURE, "connect timeout");
                self.lose(ctx, ReconnectCause::ConnectTimeout);
            }
            Timer::Closing if self.has_drained() => {
                let until = ctx.now.after(SHUTTING_TIMEOUT);
                self.timers.start(Timer::Closing, until);
            }
            Timer::Closing => {
                self.drop_socket(ctx, NORMAL_CLOSURE, "");
                self.on_closed(ctx, no_handshake());
            }
            Timer::Stable => self.on_stable(),
            Timer::Heartbeat => self.ping(ctx),
            Timer::Watch => self.watch(ctx),
            Timer::Pong => self.on_silence(ctx),
            Timer::QueueTimeout => self.expire_queue(ctx),
            Timer::GiveUp => self.on_give_up(ctx),
            Timer::Credential => self.on_credential_timer(ctx),
            Timer::LogOut => self.finish_log_out(ctx),
            Timer::Linger if !self.members.is_empty() => self.follow_those_left(ctx),
            Timer::Linger => {
                self.drop_socket(ctx, NORMAL_CLOSURE, "");
                self.stop(ctx, StopReason::Unused);
            }
        }
    }

    fn on_stable(&mut self) {
        self.timers.stop(Timer::Stable);
        self.timers.stop(Timer::GiveUp);
        self.give_up_left = None;
        self.dials.begin_anew(self.policy.backoff.spread);
        self.on_good_credential();
    }
}

fn no_handshake() -> CloseInfo {
    CloseInfo {
        code: ABNORMAL_CLOSURE,
        reason: String::new(),
        was_clean: false,
    }
}

/// What browsers report when there was no closing handshake.
const ABNORMAL_CLOSURE: u16 = 1006;

/// How long a socket that takes nothing any more is waited for, unless it passes on what it holds. The close event usually follows in the same breath; behind a close frame of
/// the server Chromium waits up to 2 s for it to hang up (`kUnderlyingConnectionCloseTimeoutSeconds` in `net/websockets/websocket_channel.cc`),
/// and the event is what says the code.
const CLOSING_TIMEOUT: Millis = Millis(3_000);

/// How long the end of a closing handshake is waited for, and again, whoever has begun it, for as long as the socket passes on what it holds in front of it. Browsers
/// report one that the server does not answer themselves: WebKitGTK after 5 s, Firefox after 20 s, Chromium after 60 s. So this is longer than each of them waits.
const SHUTTING_TIMEOUT: Millis = Millis(75_000);

/// Several tabs may want a new socket in the same moment, and an app may want one as often as it likes: so long after a dial that one of them has
/// begun, the others do not break it off.
const REQUEST_INTERVAL: Millis = Millis(5_000);

/// Every so many attempts a bare dial follows a failed one, beginning with the first.
const BARE_DIAL_EVERY: u32 = 8;
