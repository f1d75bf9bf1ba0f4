//! Messages of the server, on their way to many tabs.

use super::{Encode, check, tag};
use crate::{ChannelId, OverCap, Payload, Version, frame::MESSAGE_HEADER_BYTES};

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
    /// In two pieces and not field by field, as for each piece a vector looks whether it has to grow.
    fn encode_v1(&self, out: &mut Vec<u8>) {
        // The channel as a varint, and a byte for each of the other two: seven bytes at most.
        let (mut fields, mut front) = (0, 0);
        let mut put = |byte: u32| {
            fields |= u64::from(byte) << (8 * front);
            front += 1;
        };
        let mut channel = self.channel.0;
        while channel >= 0x80 {
            put(channel & 0x7f | 0x80);
            channel >>= 7;
        }
        put(channel);
        put(u32::from(self.replayed));
        put(self.payload.kind() as u32);

        let [a, b, c, d] = ((front + self.payload.len()) as u32).to_le_bytes();
        let [e, f, g, h, i, j, k, _] = fields.to_le_bytes();
        let end = out.len() + MESSAGE_HEADER_BYTES + front;
        out.extend_from_slice(&[tag::MESSAGE, a, b, c, d, e, f, g, h, i, j, k]);
        out.truncate(end);
        out.extend_from_slice(self.payload.bytes());
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
