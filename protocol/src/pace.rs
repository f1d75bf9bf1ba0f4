//! How often a tab wants to be posted messages.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// How often a worker may post messages to a tab: at most `burst` of them leave at once within an `interval`; what comes after
/// those is gathered, and leaves together when the interval has passed. Of a stream, which is half of `burst` in each of two intervals in a row,
/// all is gathered for as long as it goes on. It is counted anew whenever the tab says something: the server's answer is not to wait, unless `burst` messages leave
/// in front of it, the receipt and what had gathered before counted.
///
/// A tab is so given a flood in few large batches, whose fixed cost (a task, an event, two posts) many messages share. Nothing is dropped or
/// reordered by it. Receipts, the worker's own answers and changes of state do not wait, and take along what has gathered; so do
/// [256 KiB](crate::limits::MAX_PACED_BYTES) of messages. In the main tier an interval above the default counts as 0:
/// the timers of a hidden page are late by up to a minute.
///
/// ```
/// use onesocket_protocol::{Millis, Pace};
///
/// // Of 20,000 messages a second, 320 come in each of 62 batches; of 1,000, 16 do. Of 400, each leaves at once.
/// assert_eq!(Pace::default(), Pace { interval: Millis(16), burst: 16 });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Pace {
    /// For how long it is counted. 0: every message leaves as soon as the batch before is acknowledged.
    pub interval: Millis,
    /// How many messages may leave at once within it, unless they are part of a stream.
    pub burst: u32,
}

impl Pace {
    /// Every message leaves as soon as the batch before it is acknowledged.
    pub const AT_ONCE: Self = Self {
        interval: Millis(0),
        burst: 0,
    };

    /// The default, for a tab that is looked at: a frame of a display with 60 of them a second.
    pub const SHOWN: Self = Self {
        interval: Millis(16),
        burst: 16,
    };

    /// For a tab that nobody looks at: four batches a second.
    pub const HIDDEN: Self = Self {
        interval: Millis(250),
        burst: 8,
    };
}

impl Default for Pace {
    fn default() -> Self {
        Self::SHOWN
    }
}
