//! The caps on every length that crosses the port, and what else both of its ends rely on.
//!
//! A value over its cap is a typed error where it is made ([`Encode::check`](crate::Encode::check)) and where it is read,
//! never a truncation. What is for people is cut all the same: explanations ([`MAX_REASON_BYTES`]) and the log ([`MAX_LOG_BYTES`]). What a
//! worker keeps, or lets wait, is bounded without an error: each of those constants says what becomes of the rest.

/// Bytes of one payload, either way. Chromium's own limit on a WebSocket message is far above; this one keeps a tab's wasm
/// memory from being exhausted by a single message.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of one frame on the port: an almost full batch, to which a payload of the greatest size is added.
pub const MAX_FRAME_BYTES: usize = MAX_PAYLOAD_BYTES + FULL_BATCH_BYTES + 64 * 1024;

/// Messages in one frame.
pub const MAX_BATCH_MESSAGES: u32 = 65_536;

/// Bytes at which a batch counts as full: the messages after it wait for the next one.
pub const FULL_BATCH_BYTES: usize = 1024 * 1024;

/// Batches with which a worker opens a session, each posted whether or not the one before is acknowledged: that it is ready, what the tab's
/// connection is, and the first messages.
pub const OPENING_BATCHES: u32 = 4;

/// In steps of so many bytes a worker tells what a socket holds that has not gone to the network. A power of two.
pub const BUFFERED_STEP_BYTES: u32 = 256 * 1024;

/// Bytes of the body of a message that does not end in a payload: above the largest [`Connect`](crate::Connect).
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a payload that the worker keeps in order to send it again and again: a greeting, a farewell, a heartbeat's ping
/// and pong, what a replay asks for.
pub const MAX_GREETING_BYTES: usize = 1024 * 1024;

/// Bytes of a URL, account or subprotocol. Tokens travel in all three; 8 KiB is what common servers accept in a request line.
pub const MAX_TEXT_BYTES: usize = 8 * 1024;

/// Subprotocols of one connection.
pub const MAX_SUBPROTOCOLS: usize = 32;

/// Fatal close codes of one connection, and as many that refuse a credential.
pub const MAX_FATAL_CODES: usize = 256;

/// Greetings that one channel holds at a time.
pub const MAX_GREETINGS: usize = 1024;

/// Bytes of an explanation for people: a close reason, a failed start, a log line and its target. A longer one is cut.
pub const MAX_REASON_BYTES: usize = 4 * 1024;

/// Bytes of the reason with which a tab closes the socket: what fits into a close frame
/// ([RFC 6455, section 5.5](https://www.rfc-editor.org/rfc/rfc6455#section-5.5)).
pub const MAX_CLOSE_REASON_BYTES: usize = 123;

/// Bytes of the content of an entry of the log: the target of a line and its text, or a URL. A longer one is cut.
pub const MAX_LOG_BYTES: usize = 2 * MAX_REASON_BYTES;

/// Channels that one tab holds at a time.
pub const MAX_CHANNELS_PER_TAB: usize = 256;

/// Milliseconds after which a worker closes a port on which nobody has said hello, or nothing since. Several times what any page takes from its first
/// script to its client. One that is later still opens another port.
pub const SILENCE_MILLIS: u32 = 120_000;

/// Milliseconds behind its hello after which a tab takes its welcome for too late: its port may be closed, by [`SILENCE_MILLIS`]. Only one that
/// stands still reads its welcome that late: at a breakpoint, or while the machine sleeps.
pub const LATE_WELCOME_MILLIS: u32 = 90_000;

/// Messages that a connection keeps for replay. Who asks for more gets so many.
pub const MAX_REPLAY_MESSAGES: u32 = 10_000;

/// Bytes that a connection keeps for replay. Who asks for more gets so many.
pub const MAX_REPLAY_BYTES: u32 = 16 * 1024 * 1024;

/// Bytes that may wait behind the batch that is posted next, for a tab which does not acknowledge for long (frozen, busy). Above it
/// messages are dropped and counted, until no more than half of it waits.
///
/// What is posted next does not count: one large message must not cost the small one behind it.
pub const MAX_BACKLOG_BYTES: usize = 16 * 1024 * 1024;

/// Bytes that may wait so for a tab that has acknowledged everything but what it was posted in the last [`MAX_BURST_MILLIS`], and will most likely read soon.
///
/// A flood of 20 MB takes half a second, and while WebKit passes it to a worker it gives the page nothing: the page is not slow.
pub const MAX_BURST_BYTES: usize = 64 * 1024 * 1024;

/// See [`MAX_BURST_BYTES`].
pub const MAX_BURST_MILLIS: u32 = 2_000;

/// Bytes of messages that wait at most for the pace of a tab: large frames are worth a batch each.
pub const MAX_PACED_BYTES: usize = 256 * 1024;

/// Ends `text` at the last character that fits [`MAX_REASON_BYTES`].
pub(crate) fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_REASON_BYTES);
    // `get` and not an index: the message of a panic that never comes is kilobytes of the worker's wasm.
    loop {
        match text.get(..end) {
            Some(cut) => return cut,
            None => end -= 1,
        }
    }
}

const _: () = {
    use crate::frame::{HEADER_BYTES, MESSAGE_HEADER_BYTES};
    // The front of a message with a payload is at most a channel (5), a send's number (10), a flag (1) and the kind (1).
    assert!(FULL_BATCH_BYTES + MESSAGE_HEADER_BYTES + 17 + MAX_PAYLOAD_BYTES <= MAX_FRAME_BYTES);
    assert!(HEADER_BYTES < FULL_BATCH_BYTES);
    assert!(LATE_WELCOME_MILLIS < SILENCE_MILLIS);
    // The subprotocols, the URL, the account and the name of a member; three payloads; the fatal codes; everything else.
    let texts = (MAX_SUBPROTOCOLS + 3) * (MAX_TEXT_BYTES + 3);
    assert!(texts + 3 * (MAX_GREETING_BYTES + 8) + 6 * MAX_FATAL_CODES + 256 <= MAX_BODY_BYTES);
    assert!(FULL_BATCH_BYTES + MESSAGE_HEADER_BYTES + MAX_BODY_BYTES <= MAX_FRAME_BYTES);
};
