//! Small messages of the server that go to the tabs without being looked at, many at a time.

use onesocket_protocol::{Packed, limits};

use super::{Ctx, Link, lifecycle::State};

impl Link {
    /// Does what [`on_received`](Self::on_received) would do with each, and nothing with each unless it must.
    #[inline(never)]
    pub(crate) fn on_packed(&mut self, ctx: &mut Ctx<'_>, packed: &Packed) {
        let longest = packed.longest() as usize;
        let has_to_read = longest > self.policy.max_received_bytes as usize
            || packed.bytes().len() > limits::FULL_BATCH_BYTES
            || self.history.is_kept()
            || self.has_rule(ctx, 0, longest);
        if has_to_read {
            for payload in packed.payloads() {
                self.on_received(ctx, &payload);
            }
            return;
        }
        if !matches!(self.state, State::Open(_) | State::Closing(_)) {
            return;
        }
        self.life.received = ctx.now;
        self.on_alive(ctx, None);
        for member in self.members.keys() {
            ctx.ports
                .deliver_packed(member.port, member.channel, packed, ctx.now);
        }
    }
}
