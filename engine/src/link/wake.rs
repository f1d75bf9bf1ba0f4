//! What a connection does when a tab, the browser or the machine wakes up: an open socket is not trusted, a wait is cut short.
//!
//! An open socket that died meanwhile stays open here for minutes. Peers that trust it lose messages silently
//! ([wireapp/wire-webapp#21477](https://github.com/wireapp/wire-webapp/issues/21477)).

use onesocket_protocol::{Millis, ReconnectCause};

use super::{
    Ctx, Link, Timer,
    heartbeat::AwaitedPong,
    lifecycle::{CLOSE_REPLACED, State},
};
use crate::Time;

/// Why an open socket may be dead.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waking {
    /// A tab, or the browser, has come back. Whether anything has slept is not known.
    Hint,
    Slept(Sleep),
}

/// A time in which nothing ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sleep {
    pub(crate) lasted: Millis,
    pub(crate) woke: Time,
    /// A socket that has said something since then lives. `None`: what has been read may all be from before.
    pub(crate) trusted: Option<Time>,
}

impl Link {
    /// Nothing has run for so long. What is to be done about it is done at the wake, behind what there is to be heard.
    pub(crate) fn on_sleep(&mut self, now: Time, slept: Millis) {
        self.dials.forgive();
        self.prolong_give_up(now, slept);
    }

    /// Something has come back.
    pub(crate) fn on_wake(&mut self, ctx: &mut Ctx<'_>, waking: Waking) {
        if matches!(waking, Waking::Hint)
            && self
                .life
                .woke
                .is_some_and(|at| at.after(WAKE_INTERVAL) > ctx.now)
        {
            return;
        }
        match (&self.state, waking) {
            (State::Open(_), Waking::Slept(sleep))
                if sleep
                    .trusted
                    .is_some_and(|since| self.life.received >= since) => {}
            (State::Open(_), _) => self.check(ctx, waking),
            (State::Waiting(_), _) if self.may_dial(ctx) => {
                self.life.woke = Some(ctx.now);
                self.dial(ctx);
            }
            (State::NeedsAuth, _) => {
                self.life.woke = Some(ctx.now);
                self.ask_in_pause(ctx);
            }
            (State::Dialling(_), Waking::Slept(sleep)) => self.dial_anew(ctx, sleep.woke),
            _ => {}
        }
    }

    /// A dial from in front of `since` is from before the sleep, or before the network came back, and what it has said may never be answered. Not the
    /// last one that the policy grants.
    pub(super) fn dial_anew(&mut self, ctx: &mut Ctx<'_>, since: Time) {
        let is_bare =
            matches!(&self.state, State::Dialling(dialling) if dialling.bare_behind.is_some());
        let is_old = self.dials.last.is_some_and(|at| at < since);
        if is_old && !is_bare && self.may_dial(ctx) && self.grants_dial() {
            self.drop_socket(ctx, CLOSE_REPLACED, "replaced");
            self.stop_socket_timers(ctx.now);
            self.dial(ctx);
        }
    }

    /// Finds out whether the open socket is alive, or does without finding out.
    fn check(&mut self, ctx: &mut Ctx<'_>, waking: Waking) {
        if matches!(waking, Waking::Hint) && self.life.received == ctx.now {
            return;
        }
        if self.policy.heartbeat.is_some() {
            self.life.woke = Some(ctx.now);
            return self.ping_now(ctx, waking);
        }
        let limit = self.policy.wake.replace_after;
        if let Waking::Slept(sleep) = waking
            && limit.is_some_and(|limit| sleep.lasted >= limit)
        {
            self.drop_socket(ctx, CLOSE_REPLACED, "slept");
            self.lose_alone(ctx, ReconnectCause::Slept);
        }
    }

    /// Others have not lost theirs in the same moment, so there is no herd to be spread.
    fn lose_alone(&mut self, ctx: &mut Ctx<'_>, cause: ReconnectCause) {
        // First, because a socket that was stable sets the spread anew.
        self.stop_socket_timers(ctx.now);
        self.dials.spread = Millis(0);
        self.lose(ctx, cause);
    }

    /// The server has said nothing within the deadline of a ping. One that waits behind an upload cannot have been answered: for as long as
    /// that goes out there is another deadline.
    pub(super) fn on_silence(&mut self, ctx: &mut Ctx<'_>) {
        if self.has_drained()
            && let Some(heartbeat) = &self.policy.heartbeat
        {
            let until = ctx.now.after(heartbeat.deadline.max(Millis(1)));
            return self.timers.start(Timer::Pong, until);
        }
        self.drop_socket(ctx, CLOSE_REPLACED, "no answer to the heartbeat");
        if self.awaited().is_some_and(|pong| pong.is_after_wake) {
            self.lose_alone(ctx, ReconnectCause::HeartbeatTimeout);
        } else {
            self.lose(ctx, ReconnectCause::HeartbeatTimeout);
        }
    }

    /// Pings out of turn. A ping that is under way will do; one whose answer was due while nothing ran has had no fair chance. That is
    /// said once in a silence: where each timer is late, as in a hidden page, a dead socket is found all the same.
    fn ping_now(&mut self, ctx: &mut Ctx<'_>, waking: Waking) {
        let mut deadline = self.policy.wake.deadline;
        if let Some(heartbeat) = &self.policy.heartbeat
            && !self.buffered.is_empty()
        {
            // The ping waits behind that.
            deadline = deadline.max(heartbeat.deadline);
        }
        let mut until = ctx.now.after(deadline);
        match self.timers.deadline(Timer::Pong) {
            Some(at) if at > ctx.now || matches!(waking, Waking::Hint) => until = until.min(at),
            Some(_) if self.awaited().is_some_and(|pong| pong.is_reprieved) => {
                return self.on_silence(ctx);
            }
            _ => self.send_ping(ctx),
        }
        self.timers.start(Timer::Pong, until);
        if let State::Open(open) = &mut self.state
            && let Some(awaited) = &mut open.awaited
        {
            awaited.is_after_wake = true;
        }
    }

    fn awaited(&self) -> Option<AwaitedPong> {
        match &self.state {
            State::Open(open) => open.awaited,
            _ => None,
        }
    }

    /// A timer of its own, because a link may have no other: it is by firing late that it tells of a sleep. And at each input the host
    /// looks at its sockets.
    pub(super) fn watch(&mut self, ctx: &Ctx<'_>) {
        let wait = self.buffered.next_wait().unwrap_or(WATCH_INTERVAL);
        self.timers.start(Timer::Watch, ctx.now.after(wait));
    }
}

/// Tabs may be shown and hidden as fast as a user types: so long after a ping or dial that a hint gave rise to, the next
/// hint is none.
const WAKE_INTERVAL: Millis = Millis(3_000);

/// A sleep is noticed at most so long after it, where no tab gives a hint.
const WATCH_INTERVAL: Millis = Millis(15_000);
