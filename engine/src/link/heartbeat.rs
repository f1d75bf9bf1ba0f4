//! How a connection finds out that its open socket is dead, and shows the server that it is not.

use onesocket_protocol::{Millis, Payload};

use super::{Ctx, Link, Timer, lifecycle::State};
use crate::Time;

/// The answer to a ping that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct AwaitedPong {
    /// When the ping was sent.
    since: Time,
    /// Whether it follows a wake.
    pub(super) is_after_wake: bool,
    /// Whether it is in place of one whose answer was due while nothing ran.
    pub(super) is_reprieved: bool,
}

impl Link {
    pub(super) fn watch_heartbeat(&mut self, from: Time) {
        if let Some(heartbeat) = &self.policy.heartbeat {
            self.timers
                .start(Timer::Heartbeat, from.after(heartbeat.interval));
        }
    }

    /// The timer is not moved by every message: when it fires it looks how long the silence really was, on either side.
    pub(super) fn ping(&mut self, ctx: &mut Ctx<'_>) {
        let (State::Open(open), Some(heartbeat)) = (&self.state, &self.policy.heartbeat) else {
            return;
        };
        let due = self.life.received.after(heartbeat.interval);
        if due > ctx.now {
            // The server lives, but may close a connection on which it hears nothing itself. Nothing is due, and nothing measured.
            let limit = Millis(heartbeat.interval.0.saturating_add(SLACK.0));
            if self.life.sent.after(limit) <= ctx.now {
                self.life.sent = ctx.now;
                ctx.transmit(open.socket, heartbeat.ping.clone());
            }
            let due = due.min(self.life.sent.after(limit));
            return self.timers.start(Timer::Heartbeat, due);
        }
        let until = ctx.now.after(heartbeat.deadline);
        self.send_ping(ctx);
        self.timers.start(Timer::Pong, until);
    }

    pub(super) fn send_ping(&mut self, ctx: &mut Ctx<'_>) {
        let (State::Open(open), Some(heartbeat)) = (&mut self.state, &self.policy.heartbeat) else {
            return;
        };
        open.awaited = Some(AwaitedPong {
            since: ctx.now,
            is_after_wake: false,
            // Whatever is received stops it.
            is_reprieved: self.timers.is_running(Timer::Pong),
        });
        self.life.sent = ctx.now;
        ctx.transmit(open.socket, heartbeat.ping.clone());
        self.timers.stop(Timer::Heartbeat);
        self.buffered.has_fallen = false;
    }

    /// Answers the server's own ping. Returns whether it was one.
    pub(super) fn answer(&mut self, ctx: &mut Ctx<'_>, payload: &Payload) -> bool {
        self.policy.answer.is_some() && self.answer_by(ctx, payload)
    }

    #[inline(never)]
    fn answer_by(&mut self, ctx: &mut Ctx<'_>, payload: &Payload) -> bool {
        let Some(answer) = self.policy.answer.as_ref().filter(|it| it.ping == *payload) else {
            return false;
        };
        if let State::Open(open) = &self.state {
            self.life.sent = ctx.now;
            ctx.transmit(open.socket, answer.pong.clone());
        }
        true
    }

    /// Anything received proves that the server lives; only the pong measures the round trip. `None` is known not to be it.
    pub(super) fn on_alive(&mut self, ctx: &Ctx<'_>, payload: Option<&Payload>) {
        if let State::Open(open) = &self.state
            && let Some(awaited) = open.awaited
        {
            self.on_answered(ctx, awaited.since, payload);
        }
    }

    #[inline(never)]
    fn on_answered(&mut self, ctx: &Ctx<'_>, sent: Time, payload: Option<&Payload>) {
        let heartbeat = self.policy.heartbeat.as_ref();
        let pong = heartbeat.and_then(|heartbeat| heartbeat.pong.as_ref());
        if pong.is_none_or(|pong| payload == Some(pong))
            && let State::Open(open) = &mut self.state
        {
            open.awaited = None;
            self.life.round_trip = Some(ctx.now.since(sent));
        }
        self.timers.stop(Timer::Pong);
        self.watch_heartbeat(ctx.now);
    }
}

/// So much later than the server's silence the client's own is noticed. What is received within it is the answer to the last ping, and no
/// talk: the next ping is to be one whose answer is due, and measured.
const SLACK: Millis = Millis(1_000);
