//! What can go wrong with the manager's own operations.

use core::time::Duration;

use onesocket_protocol::Millis;

use crate::{Tier, TierFailure};

/// Why [`WorkerManager::switch_tier`](crate::WorkerManager::switch_tier) did not bring the tab to the tier.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// No tier is running: the manager has not started, is still starting, or has failed. Await
    /// [`WorkerManager::ready`](crate::WorkerManager::ready) first.
    #[error("no tier is running that could be switched")]
    NotRunning,
    /// Another switch is under way. Try again when it has ended.
    #[error("another switch is under way")]
    Busy,
    /// The configuration does not list the tier. List it.
    #[error("tier {tier} is not allowed by the configuration")]
    NotAllowed {
        /// The tier.
        tier: Tier,
    },
    /// The tier does not work here. The ladder was taken instead; channels and queued sends live on where it led to.
    #[error("tier {tier} does not work")]
    Failed {
        /// The tier that was wanted.
        tier: Tier,
        /// Why it does not work.
        #[source]
        failure: TierFailure,
        /// The tier that runs now; `None` when none could be had.
        now: Option<Tier>,
    },
    /// The last handle was dropped meanwhile.
    #[error("the manager was dropped")]
    Dropped,
}

/// Why [`WorkerManager::ping`](crate::WorkerManager::ping) has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PingError {
    /// No tier is running.
    #[error("no tier is running that could answer")]
    NotRunning,
    /// The worker did not answer in time: it is busy, or dead. Frozen tabs and throttled timers make this likely when the
    /// page is hidden.
    #[error("no answer within {} ms", Millis::from(*after).0)]
    Timeout {
        /// How long it was waited for.
        after: Duration,
    },
}
