//! What a connection does with a message of the server: it may be answered here, and goes to every tab.
//!
//! The ways for those that nobody has to look at are in [`packed`](super::packed) and [`parcel`](super::parcel).

use bytes::Bytes;
use onesocket_protocol::{Delivered, Payload, ToTab, WorkerError};

use super::{Ctx, EVERY, Link, latest, lifecycle::State};
use crate::{Time, port::Newest};

impl Link {
    /// Whether no message is worth a look before the next input: none is answered here, or the pong of a ping whose time is taken.
    pub(crate) fn may_gather(&self) -> bool {
        let is_quiet = matches!(&self.state, State::Open(open) if open.awaited.is_none());
        is_quiet && self.policy.answer.is_none()
    }

    pub(crate) fn on_received(&mut self, ctx: &mut Ctx<'_>, payload: &Payload) {
        if !matches!(self.state, State::Open(_) | State::Closing(_)) {
            return;
        }
        self.life.received = ctx.now;
        self.on_alive(ctx, Some(payload));
        if self.answer(ctx, payload) {
            return;
        }
        if payload.len() > self.policy.max_received_bytes as usize {
            return self.refuse_received(ctx, payload.len());
        }
        let heartbeat = self.policy.heartbeat.as_ref();
        if heartbeat.is_none_or(|heartbeat| heartbeat.pong.as_ref() != Some(payload)) {
            self.deliver(ctx, payload);
        }
    }

    #[inline(never)]
    pub(super) fn refuse_received(&self, ctx: &mut Ctx<'_>, len: usize) {
        let error = WorkerError::ReceivedTooLarge {
            bytes: len as u32,
            cap: self.policy.max_received_bytes,
        };
        let channel = Some(EVERY);
        self.tell_all(ctx, ToTab::Error { channel, error });
    }

    pub(crate) fn last_received(&self) -> Time {
        self.life.received
    }

    /// What was gathered may have come before this time, at which a sleep was over or nothing is known of one: it does not prove that the socket is alive since.
    /// `known`: when something was received before that.
    pub(crate) fn on_gathered(&mut self, time: Time, known: Time) {
        let before = Time(time.0.saturating_sub(1));
        self.life.received = self.life.received.min(before.max(known));
    }

    /// Passes a message of the server on to every tab.
    fn deliver(&mut self, ctx: &mut Ctx<'_>, payload: &Payload) {
        let rule = self.policy.latest.as_ref();
        let key = rule.and_then(|rule| latest::key_of(rule, payload));
        // Behind every rule of the policy: they are about what the server says.
        #[cfg(feature = "transcode")]
        let payload = &match ctx.transcode {
            Some(transcode) => transcode.apply(&self.key, payload),
            None => payload.clone(),
        };
        self.history.push(payload);
        if let Some(key) = key {
            return self.deliver_latest(ctx, &key, payload);
        }
        for member in self.members.keys() {
            let delivered = Delivered {
                channel: member.channel,
                replayed: false,
                payload,
            };
            ctx.ports.deliver(member.port, &delivered, ctx.now);
        }
    }

    #[inline(never)]
    fn deliver_latest(&self, ctx: &mut Ctx<'_>, key: &Bytes, payload: &Payload) {
        let newest = Newest::new(key, payload);
        for member in self.members.keys() {
            ctx.ports
                .deliver_latest(member.port, member.channel, &newest, ctx.now);
        }
    }
}
