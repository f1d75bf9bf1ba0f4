//! Large messages of the server, which go to the tabs without being looked at.

use onesocket_protocol::{Parcel, Payload, PayloadKind};

use super::{Ctx, Link, lifecycle::State};

impl Link {
    /// Does what [`on_received`](Self::on_received) would do, and reads the message only if it must.
    #[inline(never)]
    pub(crate) fn on_parcel(&mut self, ctx: &mut Ctx<'_>, parcel: &Parcel) {
        let len = parcel.len();
        let is_too_long = len > self.policy.max_received_bytes as usize;
        let may_matter = match is_too_long {
            true => self.may_be_known(len, len),
            false => self.history.keeps(len) || self.has_rule(ctx, len, len),
        };
        if may_matter {
            return self.on_received(ctx, &parcel.read());
        }
        if !matches!(self.state, State::Open(_) | State::Closing(_)) {
            return;
        }
        self.life.received = ctx.now;
        self.on_alive(ctx, None);
        if is_too_long {
            return self.refuse_received(ctx, len);
        }
        // What is not kept interrupts the row.
        self.history.clear();
        for member in self.members.keys() {
            ctx.ports
                .deliver_parcel(member.port, member.channel, parcel, ctx.now);
        }
    }

    /// Whether a rule may be about a binary message, of which no more is known than that it has from `least` to `most` bytes.
    pub(super) fn has_rule(&self, ctx: &Ctx<'_>, least: usize, most: usize) -> bool {
        #[cfg(feature = "transcode")]
        if ctx.transcode.is_some() {
            return true;
        }
        #[cfg(not(feature = "transcode"))]
        let _ = ctx;
        self.policy.latest.is_some() || self.may_be_known(least, most)
    }

    /// Whether it may be the heartbeat's pong or the server's ping, which count at any length.
    #[inline(never)]
    fn may_be_known(&self, least: usize, most: usize) -> bool {
        let may_be = |known: &Payload| {
            known.kind() == PayloadKind::Binary && known.len() >= least && known.len() <= most
        };
        let policy = &self.policy;
        let pong = policy.heartbeat.as_ref().and_then(|it| it.pong.as_ref());
        pong.is_some_and(may_be) || policy.answer.as_ref().is_some_and(|it| may_be(&it.ping))
    }
}
