//! The identifiers of the protocol, each its own type so that they can't be mistaken for one another.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// Names a tab within one worker instance. Given out by the worker in its welcome, never reused by that instance.
    TabId(u32)
}
id! {
    /// Names one client's use of a connection within its tab. Chosen by the tab, never reused by it.
    ChannelId(u32)
}
id! {
    /// Numbers the sends of one channel: 1, 2, 3, … in the order in which the app called `send`.
    SendId(u64)
}
id! {
    /// Names a greeting within its channel. Chosen by the tab, never reused by it.
    GreetingId(u32)
}

/// Names one run of a worker: a random number that the worker draws when it starts.
///
/// Safari can restart a SharedWorker silently on the ports of its predecessor
/// ([WebKit/WebKit#71486](https://github.com/WebKit/WebKit/pull/71486)). The epoch on every frame is how both sides see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Epoch {
    /// How long a worker may act after it has last found itself in the possession of its lock, in milliseconds. Who steals the
    /// lock of a worker waits that long, and then knows that this worker hands nothing to a socket any more.
    ///
    /// Too short: a worker under load waits for the browser's answers instead of working. Too long: tabs that leave a worker
    /// that hangs wait that long. The answer takes about a millisecond.
    pub const LEASE_MILLIS: u64 = 1000;

    /// How the name of every worker's lock begins.
    pub const LOCK_PREFIX: &str = "onesocket-worker-";

    /// Returns the name of the [Web Lock](https://developer.mozilla.org/en-US/docs/Web/API/Web_Locks_API) that a worker holds
    /// for as long as it lives.
    ///
    /// ```
    /// use onesocket_protocol::Epoch;
    ///
    /// assert_eq!(Epoch(0xab).lock_name(), "onesocket-worker-00000000000000ab");
    /// ```
    #[must_use]
    pub fn lock_name(self) -> String {
        name(Self::LOCK_PREFIX, self.0)
    }
}

/// A random number that a tab draws for each worker; it names the Web Lock that the tab holds for as long as it lives and is with that worker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TabToken(pub u64);

impl TabToken {
    /// Returns the name of the [Web Lock](https://developer.mozilla.org/en-US/docs/Web/API/Web_Locks_API) that the tab holds.
    ///
    /// ```
    /// use onesocket_protocol::TabToken;
    ///
    /// assert_eq!(TabToken(0xab).lock_name(), "onesocket-tab-00000000000000ab");
    /// ```
    #[must_use]
    pub fn lock_name(self) -> String {
        name("onesocket-tab-", self.0)
    }
}

/// Appends 16 hexadecimal digits. By hand, because a worker that formats nothing else has no need of the machinery.
fn name(prefix: &str, number: u64) -> String {
    let mut name = String::from(prefix);
    for place in (0..16).rev() {
        let digit = (number >> (4 * place)) & 0xf;
        name.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
    name
}
