//! What a connection does while the browser says that it is offline: it dials as seldom as behind many failures, and shows nothing of it.
//!
//! What the browser says may be about one server of its maker's, which a firewall blocks
//! ([MDN](https://developer.mozilla.org/en-US/docs/Web/API/Navigator/onLine#description)).

use onesocket_protocol::ReconnectCause;

use super::{
    Ctx, Link, Timer,
    auth::MIN_PAUSE,
    backoff,
    lifecycle::{CLOSE_REPLACED, State},
};

impl Link {
    /// Whether the first dial comes whatever the browser says, or it says that it is online. Who wants one dial only has it, as of a WebSocket.
    pub(super) fn may_start(&self, ctx: &Ctx<'_>) -> bool {
        ctx.online || self.policy.give_up.attempts == Some(1)
    }

    pub(super) fn go_offline(&mut self, ctx: &mut Ctx<'_>, cause: ReconnectCause) {
        self.halt_give_up(ctx.now);
        self.offline = Some(cause.clone());
        self.stay_offline(ctx);
        self.tell_reconnecting(ctx, None, cause);
    }

    /// Waits for the browser, or as long as a loop does that has failed often. The tabs hear nothing of it.
    pub(super) fn stay_offline(&mut self, ctx: &mut Ctx<'_>) {
        let backoff = &self.policy.backoff;
        let wait = backoff::draw(backoff, 0, backoff.cap, ctx.rng).max(MIN_PAUSE);
        let from = self.dials.not_before.map_or(ctx.now, |at| at.max(ctx.now));
        self.timers.stop(Timer::Credential);
        self.timers.start(Timer::Dial, from.after(wait));
        self.state = State::Offline;
    }

    pub(super) fn come_online(&mut self, ctx: &mut Ctx<'_>, cause: ReconnectCause) {
        self.watch_give_up(ctx.now);
        if matches!(self.state, State::Asking(_)) {
            return self.tell_status(ctx);
        }
        // One that was dialled before hangs, most likely.
        self.drop_socket(ctx, CLOSE_REPLACED, "replaced");
        self.stop_socket_timers(ctx.now);
        self.dial_when_allowed(ctx, cause);
    }

    /// The app may know better than the browser.
    pub(super) fn reconnect_offline(&mut self, ctx: &mut Ctx<'_>) {
        let is_pausing = self.is_asking_quietly();
        match &mut self.state {
            // It may be of use until the browser is online, and what takes its place may not open.
            State::Open(open) => open.is_unwanted = true,
            State::Closing(_) | State::NeedsAuth => self.begin_offline(ctx),
            State::Asking(_) if is_pausing => self.begin_offline(ctx),
            _ => {}
        }
        let is_allowed = self.dials.not_before.is_none_or(|at| at <= ctx.now);
        if is_allowed && matches!(self.state, State::Offline) {
            self.dial(ctx);
        }
    }

    fn begin_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.drop_socket(ctx, CLOSE_REPLACED, "replaced");
        self.stop_socket_timers(ctx.now);
        self.go_offline(ctx, ReconnectCause::Requested);
    }
}
