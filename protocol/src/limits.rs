//! The caps on every length that crosses the port. A value over its cap is a typed error where it is made and where it
//! is read, never a truncation.

/// Bytes of one payload, either way. Chromium's own limit on a WebSocket message is far above; this one keeps a tab's wasm
/// memory from being exhausted by a single message.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of one frame on the port: an almost full batch, to which a payload of the greatest size is added.
pub const MAX_FRAME_BYTES: usize = MAX_PAYLOAD_BYTES + FULL_BATCH_BYTES + 64 * 1024;

/// Messages in one frame.
pub const MAX_BATCH_MESSAGES: u32 = 65_536;

/// Bytes at which a batch counts as full: the messages after it wait for the next one.
pub const FULL_BATCH_BYTES: usize = 1024 * 1024;

/// Bytes of a URL, account or subprotocol. Tokens travel in all three; 8 KiB is what common servers accept in a request line.
pub const MAX_TEXT_BYTES: usize = 8 * 1024;

/// Subprotocols of one connection.
pub const MAX_SUBPROTOCOLS: usize = 32;

/// Fatal close codes of one connection.
pub const MAX_FATAL_CODES: usize = 256;

/// Greetings that one channel holds at a time.
pub const MAX_GREETINGS: usize = 1024;

/// Bytes of the explanation in an error, a close reason or a log line.
pub const MAX_REASON_BYTES: usize = 4 * 1024;

/// Channels that one tab holds at a time.
pub const MAX_CHANNELS_PER_TAB: usize = 256;

/// Frames that a connection keeps for replay, and their bytes.
pub const MAX_REPLAY_FRAMES: u32 = 10_000;
/// Bytes that a connection keeps for replay.
pub const MAX_REPLAY_BYTES: u32 = 16 * 1024 * 1024;

/// Bytes that wait for a tab which does not acknowledge (frozen, busy) before its messages are dropped and counted.
pub const MAX_BACKLOG_BYTES: usize = 16 * 1024 * 1024;
