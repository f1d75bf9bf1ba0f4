//! Whose dedicated worker a tab is with.

use core::fmt;

/// Whose worker a tab of the [dedicated tier](crate::Tier::Dedicated) is with.
///
/// Tabs of one origin whose `script` and `name` are equal elect one of them, by a Web Lock. The others are with its worker, each over
/// a `BroadcastChannel`, so that all of them have one socket, as with a SharedWorker. When the leader closes or is put aside
/// by the browser, the next one leads, with a worker of its own.
///
/// ```
/// use onesocket_manager::{NotShared, Role};
///
/// assert_eq!(Role::Follower.to_string(), "follower");
/// assert_eq!(Role::Alone(NotShared::NoWebLocks).to_string(), "alone: no web locks");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Role {
    /// This tab's worker is there for every tab.
    Leader,
    /// The worker is another tab's.
    Follower,
    /// The worker, and with it a socket, is this tab's alone.
    Alone(NotShared),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leader => f.write_str("leader"),
            Self::Follower => f.write_str("follower"),
            Self::Alone(why) => write!(f, "alone: {why}"),
        }
    }
}

/// Why a tab shares its dedicated worker with nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NotShared {
    /// [`ManagerConfig::share_dedicated`](crate::ManagerConfig::share_dedicated) is off.
    SwitchedOff,
    /// There are no Web Locks: the page is not a secure context (plain `http:` on a LAN), its origin is opaque, or the browser
    /// is old. Nobody can be elected.
    NoWebLocks,
    /// There is no `BroadcastChannel`: nobody else can be reached.
    NoBroadcastChannel,
    /// The worker's script has no prelude, which is what lets other tabs in.
    NoPrelude,
    /// The leader's worker is of another build, with which this tab has no common protocol version. The tab looks again who leads when its page is back from
    /// the back/forward cache, and when its own worker is lost.
    OtherVersion,
}

impl fmt::Display for NotShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SwitchedOff => "switched off",
            Self::NoWebLocks => "no web locks",
            Self::NoBroadcastChannel => "no broadcast channel",
            Self::NoPrelude => "no prelude in the worker's script",
            Self::OtherVersion => "the leader is of another version",
        })
    }
}
