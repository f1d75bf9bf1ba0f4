//! What an app may have to keep can be named by `onesocket` alone.

use onesocket::{
    ChangeGuard, Channel, ChannelConfig, ChannelCredential, ChannelEvent, Epoch, EventGuard,
    GreetingGuard, Inspection, Ladder, LinkKey, LinkPolicy, LogEntry, Observation, ParcelGuard,
    Replay, Sight, SkipReason, StoragePartition, UnknownTier, VersionRange,
};

/// What keeps something going.
pub struct Kept<Rx> {
    pub changes: ChangeGuard,
    pub channel: Channel,
    pub credential: ChannelCredential,
    pub events: EventGuard<Rx>,
    pub greeting: GreetingGuard<Rx>,
    pub inspection: Inspection,
    pub parcels: ParcelGuard<Rx>,
}

/// What was told.
pub struct Told {
    pub entry: LogEntry,
    pub epoch: Epoch,
    pub event: ChannelEvent,
    pub ladder: Ladder,
    pub observation: Observation,
    pub sight: Sight,
    pub skipped: SkipReason,
    pub storage: StoragePartition,
    pub unknown: UnknownTier,
    pub versions: VersionRange,
}

/// What a channel is opened with.
#[must_use]
pub fn channel_config(url: String) -> ChannelConfig {
    let (subprotocols, account) = (Vec::new(), String::new());
    ChannelConfig {
        key: LinkKey {
            url,
            subprotocols,
            account,
        },
        policy: LinkPolicy::default(),
        replay: Replay::None,
    }
}

/// What a large message is for JavaScript.
#[cfg(target_family = "wasm")]
#[must_use]
pub fn is_held_by_the_browser(parcel: &onesocket::Parcel) -> bool {
    onesocket::into_buffer(parcel).is_some()
}
