//! Messages of the server, on their way to many tabs.

use super::{Encode, check, tag, worker_side};
use crate::{ChannelId, OverCap, Payload, Version};

/// A [`ToTab::Message`](crate::ToTab::Message) before it is one: written from here, a message need not be cloned for each tab, and the
/// code of all others is not around it.
///
/// ```
/// use onesocket_protocol::{ChannelId, Delivered, Encode, Payload, ToTab, Version};
///
/// let (channel, replayed, payload) = (ChannelId(7), false, Payload::text("hi"));
/// let (mut one, mut other) = (Vec::new(), Vec::new());
/// Delivered { channel, replayed, payload: &payload }.encode(Version::V1, &mut one);
/// ToTab::Message { channel, replayed, payload }.encode(Version::V1, &mut other);
/// assert_eq!(one, other);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Delivered<'a> {
    /// The tab's channel.
    pub channel: ChannelId,
    /// Whether it was received before the channel joined.
    pub replayed: bool,
    /// The message.
    pub payload: &'a Payload,
}

impl Delivered<'_> {
    fn encode_v1(&self, out: &mut Vec<u8>) {
        worker_side::framed(out, |mut body| {
            body.u32(self.channel.0);
            body.delivered(self.replayed, self.payload)
        });
    }
}

impl Encode for Delivered<'_> {
    fn check(&self) -> Result<(), OverCap> {
        check::check_payload(tag::MESSAGE, self.payload)
    }

    fn encode(&self, version: Version, out: &mut Vec<u8>) {
        match version {
            Version::V1 => self.encode_v1(out),
            #[cfg(feature = "next-version")]
            Version::V2 => super::next_version::seal(out, |out| self.encode_v1(out)),
        }
    }
}
