//! Sends, on their way to the worker.

use super::{Encode, check, tag};
use crate::{ChannelId, OverCap, Payload, SendId, Version, frame::MESSAGE_HEADER_BYTES};

/// A [`ToWorker::Send`](crate::ToWorker::Send) before it is one: written from here, its payload need not be cloned, and the code of all others is not around
/// it.
///
/// ```
/// use onesocket_protocol::{ChannelId, Encode, Outgoing, Payload, SendId, ToWorker, Version};
///
/// let (channel, id, keep, payload) = (ChannelId(7), SendId(300), false, Payload::text("hi"));
/// let (mut one, mut other) = (Vec::new(), Vec::new());
/// Outgoing { channel, id, keep, payload: &payload }.encode(Version::V1, &mut one);
/// ToWorker::Send { channel, id, keep, payload }.encode(Version::V1, &mut other);
/// assert_eq!(one, other);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The tab's channel.
    pub channel: ChannelId,
    /// Its number; the receipt names it.
    pub id: SendId,
    /// Whether it is kept, and sent again on every new socket, until it is acknowledged.
    pub keep: bool,
    /// What is sent.
    pub payload: &'a Payload,
}

impl Outgoing<'_> {
    /// In two pieces and not field by field, as for each piece a vector looks whether it has to grow.
    pub(super) fn encode_v1(&self, out: &mut Vec<u8>) {
        let mut front = [0; MESSAGE_HEADER_BYTES + MOST_FIELD_BYTES];
        let mut end = MESSAGE_HEADER_BYTES;
        let mut put = |byte: u8| {
            front[end] = byte;
            end += 1;
        };
        varint(self.channel.0.into(), &mut put);
        varint(self.id.0, &mut put);
        put(self.keep.into());
        put(self.payload.kind() as u8);

        let body = end - MESSAGE_HEADER_BYTES + self.payload.len();
        front[0] = tag::SEND;
        front[1..MESSAGE_HEADER_BYTES].copy_from_slice(&(body as u32).to_le_bytes());
        out.extend_from_slice(&front[..end]);
        out.extend_from_slice(self.payload.bytes());
    }
}

/// As postcard writes a number: seven bits in each byte, the lowest first.
fn varint(mut number: u64, put: &mut impl FnMut(u8)) {
    while number >= 0x80 {
        put(number as u8 | 0x80);
        number >>= 7;
    }
    put(number as u8);
}

/// A channel, a send's number, and a byte for each of the other two.
const MOST_FIELD_BYTES: usize = 5 + 10 + 2;

impl Encode for Outgoing<'_> {
    fn check(&self) -> Result<(), OverCap> {
        check::check_payload(tag::SEND, self.payload)
    }

    fn encode(&self, version: Version, out: &mut Vec<u8>) {
        match version {
            Version::V1 => self.encode_v1(out),
            #[cfg(feature = "next-version")]
            Version::V2 => super::next_version::seal(out, |out| self.encode_v1(out)),
        }
    }
}
