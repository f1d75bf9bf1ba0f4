//! Small messages of the server that go to the tabs without being looked at, many at a time.

use onesocket_protocol::{Packed, Payload, PayloadKind, limits};

use super::{Ctx, Link, lifecycle::State};

impl Link {
    /// Does what [`on_received`](Self::on_received) would do with each, and nothing with each unless it must.
    #[inline(never)]
    pub(crate) fn on_packed(&mut self, ctx: &mut Ctx<'_>, packed: &Packed) {
        let is_long = packed.bytes().len() > limits::FULL_BATCH_BYTES;
        if is_long || self.has_to_read_each(ctx, packed.longest()) {
            for payload in packed.payloads() {
                self.on_received(ctx, &payload);
            }
            return;
        }
        if !matches!(self.state, State::Open(_) | State::Closing(_)) {
            return;
        }
        self.last_received = ctx.now;
        self.on_alive(ctx, None);
        for member in self.members.keys() {
            ctx.ports
                .deliver_packed(member.port, member.channel, packed, ctx.now);
        }
    }

    /// Whether a rule may be about one of the binary messages that are no longer than this.
    fn has_to_read_each(&self, ctx: &Ctx<'_>, longest: u32) -> bool {
        #[cfg(feature = "transcode")]
        if ctx.transcode.is_some() {
            return true;
        }
        #[cfg(not(feature = "transcode"))]
        let _ = ctx;
        let may_be = |known: &Payload| {
            known.kind() == PayloadKind::Binary && known.len() <= longest as usize
        };
        let policy = &self.policy;
        let pong = policy.heartbeat.as_ref().and_then(|it| it.pong.as_ref());
        policy.latest.is_some()
            || self.history.is_kept()
            || longest > policy.max_received_bytes
            || pong.is_some_and(may_be)
            || policy.answer.as_ref().is_some_and(|it| may_be(&it.ping))
    }
}
