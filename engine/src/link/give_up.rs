//! When a connection has had dials enough, or time enough.

use onesocket_protocol::{Millis, ReconnectCause, StopReason};

use super::{
    Ctx, Link, Timer,
    lifecycle::{NORMAL_CLOSURE, State},
};
use crate::{Time, engine::SLEPT_EVEN_IF_HIDDEN};

impl Link {
    pub(super) fn on_give_up(&mut self, ctx: &mut Ctx<'_>) {
        let cause = match &self.state {
            State::Waiting(waiting) => waiting.cause.clone(),
            // A socket that is open now, if only since a moment ago, is given its chance; there is no other after it.
            State::Open(_) | State::Closing(_) => return self.give_up_left = Some(Millis(0)),
            // As is a dial that begins with a wake: the time was over in the sleep.
            State::Dialling(_) if self.dials.last == Some(ctx.now) => {
                return self.give_up_left = Some(Millis(0));
            }
            State::Idle
            | State::Dialling(_)
            | State::Offline
            | State::Asking(_)
            | State::NeedsAuth
            | State::Stopped(_) => ReconnectCause::Unreachable,
        };
        self.drop_socket(ctx, NORMAL_CLOSURE, "");
        self.give_up(ctx, cause);
    }

    pub(super) fn give_up(&mut self, ctx: &mut Ctx<'_>, cause: ReconnectCause) {
        let attempts = self.dials.fruitless;
        self.stop(ctx, StopReason::GaveUp { attempts, cause });
    }

    /// Lets the give-up policy's time run, from its beginning or from where it was halted.
    pub(super) fn watch_give_up(&mut self, now: Time) {
        if self.offline.is_some() || self.timers.is_running(Timer::GiveUp) {
            return;
        }
        if let Some(left) = self.give_up_left.take().or(self.policy.give_up.after) {
            self.timers.start(Timer::GiveUp, now.after(left));
        }
    }

    /// Lets it run no longer: what is waited for now is not the server.
    pub(super) fn halt_give_up(&mut self, now: Time) {
        if let Some(at) = self.timers.deadline(Timer::GiveUp) {
            self.give_up_left = Some(at.since(now));
            self.timers.stop(Timer::GiveUp);
        }
    }

    /// Adds the time of a sleep, in which nothing was tried. Behind one that no hidden page's timer is late by there is time for one dial at least.
    pub(super) fn prolong_give_up(&mut self, now: Time, slept: Millis) {
        if let Some(at) = self.timers.deadline(Timer::GiveUp) {
            let question = self.policy.auth.ask.unwrap_or(Millis(0));
            let dial = now.after(question).after(self.policy.connect_timeout);
            let least = if slept > SLEPT_EVEN_IF_HIDDEN {
                dial
            } else {
                at
            };
            self.timers.start(Timer::GiveUp, at.after(slept).max(least));
        }
    }

    /// Whether the give-up policy grants another dial, but for its time.
    pub(super) fn grants_dial(&self) -> bool {
        let dials = self.policy.give_up.attempts;
        dials.is_none_or(|dials| self.dials.fruitless < dials)
    }

    /// Whether the give-up policy says that there were dials enough, or time enough.
    pub(super) fn is_enough(&self, now: Time) -> bool {
        let time = self.timers.deadline(Timer::GiveUp);
        !self.grants_dial() || time.is_some_and(|at| at <= now)
    }
}
