//! What an app may choose, and what of it makes no sense.

use core::time::Duration;

use onesocket_protocol::{DebugLevel, Millis, Pace};

use crate::{Tier, TierPolicy};

/// What a [`WorkerManager`](crate::WorkerManager) is made from.
///
/// It is checked once, by [`WorkerManager::new`](crate::WorkerManager::new) and
/// [`WorkerManager::shared`](crate::WorkerManager::shared).
///
/// ```
/// use onesocket_manager::{ConfigError, ManagerConfig, Tier, TierPolicy};
///
/// let config = ManagerConfig::default()
///     .script("/assets/onesocket-worker.js")
///     .tiers(TierPolicy::Ladder(vec![Tier::Dedicated, Tier::Main]));
/// assert_eq!(config.check(), Ok(()));
/// assert_eq!(config.tiers(TierPolicy::Ladder(vec![])).check(), Err(ConfigError::NoTiers));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ManagerConfig {
    /// Which tiers may be used. Default: [`TierPolicy::default`], all three.
    pub tiers: TierPolicy,
    /// The URL of the worker's script, relative to
    /// [`document.baseURI`](https://developer.mozilla.org/en-US/docs/Web/API/Node/baseURI). Default: `onesocket-worker.js`.
    /// With routes give an absolute path: relative to `/rooms/42` it is `/rooms/onesocket-worker.js`. Where that is missing or HTML the page's console has a warning.
    /// It must be of the page's own origin: browsers refuse other ones, and a `blob:` URL is another SharedWorker in each
    /// tab ([vitejs/vite#11956](https://github.com/vitejs/vite/issues/11956)).
    pub script: String,
    /// How the script is loaded. Default: [`ScriptKind::Classic`].
    pub script_kind: ScriptKind,
    /// The worker's name. Default: `onesocket`. 1 to 128 bytes, without `~`. Tabs share a SharedWorker when origin, script and name are
    /// equal.
    pub name: String,
    /// Which build of the app this page is of: any number that grows with each deploy, such as the Unix time of the build or the
    /// count of a CI; 0 for none. Default: 0. Tabs of several builds share one worker, and those of an older build are told of
    /// a newer one by [`ChannelEvent::UpdateAvailable`](crate::ChannelEvent::UpdateAvailable). A tab that gives none is told
    /// of no build, but for one that speaks a newer protocol.
    ///
    /// A number that is set when the app is compiled can't be forgotten:
    ///
    /// ```
    /// use onesocket_manager::ManagerConfig;
    ///
    /// // As in `APP_BUILD=$(date +%s) trunk build`; cargo compiles anew when it changes.
    /// let build = option_env!("APP_BUILD").and_then(|number| number.parse().ok());
    /// let config = ManagerConfig::default().build(build.unwrap_or(0));
    /// assert_eq!(config.check(), Ok(()));
    /// ```
    ///
    /// A deploy that goes back to what was needs a number above the one that it takes back, as if it was new; else the tabs
    /// that are to go hear nothing, and the others are told to update to what is gone.
    pub build: u64,
    /// How long a worker may take from its construction to its welcome, the download of script and wasm included. Default:
    /// 3 s. 100 ms to 60 s. Too short: a slow network ends up on a lower tier, and tabs no longer share the socket. Too
    /// long: where a worker hangs, the app waits that long for its first connection. 3 s is about what a 45 kB download
    /// takes at 400 kbit/s with 400 ms of latency, the "slow 3G" of Chromium's developer tools.
    pub hello_timeout: Duration,
    /// How long a worker that runs may owe an acknowledgement, and be silent, before it is asked for a sign of life. Default: 5 s.
    /// 500 ms to 5 min. Too short: a worker under load is asked for nothing. Too long: sends stay pending that long. A worker acknowledges
    /// as soon as it reads.
    pub ack_timeout: Duration,
    /// How long a worker may take for a sign of life before it is taken to hang. Default: 3 s. 100 ms to 60 s. It is asked when it owes an
    /// acknowledgement, and when the page is shown again. Too short: a machine under load, or a debugger, costs the tab its
    /// worker. Too long: sends stay pending that long.
    pub probe_timeout: Duration,
    /// When a tab that has fallen to a lower tier tries the better ones again. Default: after 30 s, then less and less often. `None`:
    /// never; it stays until the page is loaded anew. While a channel is open that gives up after one dial and whose queue holds no message,
    /// it is put off: what is one socket would end by it.
    pub climb_back: Option<ClimbBack>,
    /// Whether the tabs share one worker in the dedicated tier, too, as the [`Role`](crate::Role) tells. Default: `true`. Needs Web Locks and
    /// `BroadcastChannel`; without them each tab has a worker, and a socket, of its own. Off: always. Frames of tabs that follow are
    /// copied once more than through a port.
    pub share_dedicated: bool,
    /// How often this tab is posted messages while it is looked at. Default: 16 at once, and then as one batch after 16 ms; a
    /// stream, of 8 messages in each 16 ms, as a batch in each. Up to 10 s. Shorter: a
    /// stream costs the page's main thread more. Longer: the messages of a stream are older when they come.
    pub pace: Pace,
    /// The same while the page is [hidden](https://developer.mozilla.org/en-US/docs/Web/API/Document/visibilityState). Default: 8 at once,
    /// and then as one batch after 250 ms; a stream, of 4 in each 250 ms, as a batch in each. [`Pace::AT_ONCE`] for a page that has to react although nobody sees it, such as one that plays sounds.
    /// What has gathered comes when the page is shown. In the main tier, whose timers are late by up to a minute while it is hidden, an interval above 16 ms
    /// counts as 0: everything comes at once. A shorter one is such a timer there, too.
    pub hidden_pace: Pace,
    /// What is logged, by the worker and by this tab. Default: nothing.
    pub debug: DebugLevel,
    /// When the worker is spawned. Default: [`Start::Now`].
    pub start: Start,
}

impl ManagerConfig {
    /// Chooses which tiers may be used.
    #[must_use]
    pub fn tiers(mut self, tiers: TierPolicy) -> Self {
        self.tiers = tiers;
        self
    }

    /// Chooses the worker's script.
    #[must_use]
    pub fn script(mut self, script: impl Into<String>) -> Self {
        self.script = script.into();
        self
    }

    /// Chooses how the script is loaded.
    #[must_use]
    pub fn script_kind(mut self, script_kind: ScriptKind) -> Self {
        self.script_kind = script_kind;
        self
    }

    /// Chooses the worker's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Says which build of the app this page is of; see [`build`](Self#structfield.build).
    #[must_use]
    pub fn build(mut self, build: u64) -> Self {
        self.build = build;
        self
    }

    /// Chooses how long a worker may take until its welcome.
    #[must_use]
    pub fn hello_timeout(mut self, hello_timeout: Duration) -> Self {
        self.hello_timeout = hello_timeout;
        self
    }

    /// Chooses how long a silent worker may owe an acknowledgement.
    #[must_use]
    pub fn ack_timeout(mut self, ack_timeout: Duration) -> Self {
        self.ack_timeout = ack_timeout;
        self
    }

    /// Chooses how long a worker may take for a sign of life.
    #[must_use]
    pub fn probe_timeout(mut self, probe_timeout: Duration) -> Self {
        self.probe_timeout = probe_timeout;
        self
    }

    /// Chooses when better tiers are tried again; `None` for never.
    #[must_use]
    pub fn climb_back(mut self, climb_back: impl Into<Option<ClimbBack>>) -> Self {
        self.climb_back = climb_back.into();
        self
    }

    /// Chooses whether the tabs share one worker in the dedicated tier.
    #[must_use]
    pub fn share_dedicated(mut self, share_dedicated: bool) -> Self {
        self.share_dedicated = share_dedicated;
        self
    }

    /// Chooses how often this tab is posted messages while it is looked at.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Chooses how often this tab is posted messages while it is hidden.
    #[must_use]
    pub fn hidden_pace(mut self, hidden_pace: Pace) -> Self {
        self.hidden_pace = hidden_pace;
        self
    }

    /// Chooses what is logged.
    #[must_use]
    pub fn debug(mut self, debug: DebugLevel) -> Self {
        self.debug = debug;
        self
    }

    /// Chooses when the worker is spawned.
    #[must_use]
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Checks what can be checked without a browser.
    ///
    /// # Errors
    ///
    /// The first thing that makes no sense.
    pub fn check(&self) -> Result<(), ConfigError> {
        let tiers = self.tiers.tiers();
        if tiers.is_empty() {
            return Err(ConfigError::NoTiers);
        }
        let twice = tiers
            .iter()
            .enumerate()
            .find(|(at, tier)| tiers[..*at].contains(tier));
        if let Some((_, &tier)) = twice {
            return Err(ConfigError::TierTwice { tier });
        }
        if self.script.trim().is_empty() {
            return Err(ConfigError::NoScript);
        }
        let len = self.name.len();
        if !(1..=MAX_NAME_BYTES).contains(&len) {
            return Err(ConfigError::NameLength { len });
        }
        if self.name.contains('~') {
            return Err(ConfigError::NameTilde);
        }
        if !(MIN_HELLO_TIMEOUT..=MAX_HELLO_TIMEOUT).contains(&self.hello_timeout) {
            return Err(ConfigError::HelloTimeout {
                timeout: self.hello_timeout,
            });
        }
        if !(MIN_ACK_TIMEOUT..=MAX_ACK_TIMEOUT).contains(&self.ack_timeout) {
            return Err(ConfigError::AckTimeout {
                timeout: self.ack_timeout,
            });
        }
        if !(MIN_PROBE_TIMEOUT..=MAX_PROBE_TIMEOUT).contains(&self.probe_timeout) {
            return Err(ConfigError::ProbeTimeout {
                timeout: self.probe_timeout,
            });
        }
        if let Some(ClimbBack { first, cap }) = self.climb_back
            && !(MIN_CLIMB_WAIT <= first && first <= cap && cap <= MAX_CLIMB_WAIT)
        {
            return Err(ConfigError::ClimbBack { first, cap });
        }
        let interval = self.pace.interval.max(self.hidden_pace.interval);
        if interval > MAX_PACE_INTERVAL {
            return Err(ConfigError::PaceInterval { interval });
        }
        Ok(())
    }
}

impl Default for ManagerConfig {
    fn default() -> Self {
        Self {
            tiers: TierPolicy::default(),
            script: "onesocket-worker.js".to_owned(),
            script_kind: ScriptKind::default(),
            name: "onesocket".to_owned(),
            build: 0,
            hello_timeout: Duration::from_secs(3),
            ack_timeout: Duration::from_secs(5),
            probe_timeout: Duration::from_secs(3),
            climb_back: Some(ClimbBack::default()),
            share_dedicated: true,
            pace: Pace::default(),
            hidden_pace: Pace::HIDDEN,
            debug: DebugLevel::Off,
            start: Start::default(),
        }
    }
}

/// How long a tab on a lower tier waits before it visits the better ones again.
///
/// The wait doubles with each try, and begins anew when a better tier has run for as long as the cap. Up to half of it is left to chance,
/// so that a broken release is not fetched by all tabs at the same time.
///
/// ```
/// use core::time::Duration;
/// use onesocket_manager::{ClimbBack, ManagerConfig};
///
/// let hourly = ClimbBack { first: Duration::from_secs(60), cap: Duration::from_secs(3600) };
/// assert_eq!(ManagerConfig::default().climb_back(hourly).check(), Ok(()));
/// let upside_down = ClimbBack { first: hourly.cap, cap: hourly.first };
/// assert!(ManagerConfig::default().climb_back(upside_down).check().is_err());
/// assert_eq!(ManagerConfig::default().climb_back(None).check(), Ok(()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClimbBack {
    /// The first wait. Default: 30 s. At least 100 ms. Too short: what has just failed fails again. Too long: tabs do not share
    /// their socket that long.
    pub first: Duration,
    /// The longest wait. Default: 10 min. At least the first wait, at most a day. Too short: a browser in which the tier never works spawns
    /// workers in vain. Too long: a tab that stays open for days comes back late.
    pub cap: Duration,
}

impl Default for ClimbBack {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(30),
            cap: Duration::from_secs(10 * 60),
        }
    }
}

/// How a worker's script is loaded: the
/// [`type` option](https://developer.mozilla.org/en-US/docs/Web/API/Worker/Worker#type) of the constructor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum ScriptKind {
    /// A classic script; works in every browser that has workers.
    #[default]
    Classic,
    /// An ECMAScript module.
    Module,
}

/// When the worker is spawned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Start {
    /// When the manager is made.
    #[default]
    Now,
    /// When the first channel is opened, or [`WorkerManager::start`](crate::WorkerManager::start) is called.
    Lazy,
}

/// A configuration that makes no sense. Fix the code that makes it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The list of tiers is empty. Name at least one.
    #[error("no tier is allowed")]
    NoTiers,
    /// The list names a tier twice. Name it once.
    #[error("tier {tier} is listed twice")]
    TierTwice {
        /// The tier.
        tier: Tier,
    },
    /// The script's URL is empty.
    #[error("the worker script has no url")]
    NoScript,
    /// The script's URL can't be resolved against the page's.
    #[error("{script:?} is no url")]
    InvalidScript {
        /// The URL as it was given.
        script: String,
    },
    /// The script's URL is of a scheme from which no worker can be shared: `blob:`, `data:`, `javascript:`. Serve it as a
    /// file.
    #[error("a worker script can't come from a {scheme} url")]
    ScriptScheme {
        /// The scheme, with its colon.
        scheme: String,
    },
    /// The script is of another origin, which browsers refuse. Serve it from the page's own.
    #[error("the worker script is of {script_origin}, the page of {page_origin}")]
    CrossOriginScript {
        /// The script's origin.
        script_origin: String,
        /// The page's origin.
        page_origin: String,
    },
    /// The name is empty or longer than 128 bytes.
    #[error("a worker name of {len} bytes; 1 to 128 are allowed")]
    NameLength {
        /// Its length in bytes.
        len: usize,
    },
    /// The name has a `~` in it, which is for the names of successors: `app~1` follows `app` when that hangs. Take another character.
    #[error("a worker name with a ~, which is kept for successors")]
    NameTilde,
    /// The hello timeout is under 100 ms or over 60 s.
    #[error("a hello timeout of {} ms; 100 ms to 60 s are allowed", Millis::from(*timeout).0)]
    HelloTimeout {
        /// The timeout.
        timeout: Duration,
    },
    /// The ack timeout is under 500 ms or over 5 min.
    #[error("an ack timeout of {} ms; 500 ms to 5 min are allowed", Millis::from(*timeout).0)]
    AckTimeout {
        /// The timeout.
        timeout: Duration,
    },
    /// The waits of [`ClimbBack`] are out of order, or out of 100 ms to a day.
    #[error(
        "better tiers are to be tried again after {} ms, at most {} ms; 100 ms to a day are allowed",
        Millis::from(*first).0,
        Millis::from(*cap).0
    )]
    ClimbBack {
        /// The first wait.
        first: Duration,
        /// The longest.
        cap: Duration,
    },
    /// The interval of a pace is over 10 s.
    #[error("a pace with an interval of {} ms; up to 10 s are allowed", interval.0)]
    PaceInterval {
        /// The interval.
        interval: Millis,
    },
    /// The probe timeout is under 100 ms or over 60 s.
    #[error("a probe timeout of {} ms; 100 ms to 60 s are allowed", Millis::from(*timeout).0)]
    ProbeTimeout {
        /// The timeout.
        timeout: Duration,
    },
}

const MAX_NAME_BYTES: usize = 128;
const MIN_ACK_TIMEOUT: Duration = Duration::from_millis(500);
const MAX_ACK_TIMEOUT: Duration = Duration::from_secs(5 * 60);
const MIN_PROBE_TIMEOUT: Duration = Duration::from_millis(100);
const MAX_PROBE_TIMEOUT: Duration = Duration::from_secs(60);
const MIN_CLIMB_WAIT: Duration = Duration::from_millis(100);
const MAX_CLIMB_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_PACE_INTERVAL: Millis = Millis(10_000);
const MIN_HELLO_TIMEOUT: Duration = Duration::from_millis(100);
const MAX_HELLO_TIMEOUT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: ManagerConfig, expect: Result<(), ConfigError>) {
        assert_eq!(config.check(), expect);
    }

    #[test]
    fn the_default_is_fine() {
        check(ManagerConfig::default(), Ok(()));
    }

    #[test]
    fn each_senseless_field_has_its_error() {
        let config = ManagerConfig::default;
        let twice = TierPolicy::Ladder(vec![Tier::Main, Tier::Shared, Tier::Main]);
        check(
            config().tiers(twice),
            Err(ConfigError::TierTwice { tier: Tier::Main }),
        );
        check(config().script(" "), Err(ConfigError::NoScript));
        check(config().name(""), Err(ConfigError::NameLength { len: 0 }));
        check(
            config().name("x".repeat(129)),
            Err(ConfigError::NameLength { len: 129 }),
        );
        check(config().name("x~1"), Err(ConfigError::NameTilde));
        let timeout = Duration::from_millis(99);
        check(
            config().hello_timeout(timeout),
            Err(ConfigError::HelloTimeout { timeout }),
        );
        let timeout = Duration::from_secs(61);
        check(
            config().hello_timeout(timeout),
            Err(ConfigError::HelloTimeout { timeout }),
        );
        check(
            config().probe_timeout(timeout),
            Err(ConfigError::ProbeTimeout { timeout }),
        );
        let (first, cap) = (Duration::from_millis(99), Duration::from_secs(1));
        check(
            config().climb_back(ClimbBack { first, cap }),
            Err(ConfigError::ClimbBack { first, cap }),
        );
        let interval = Millis(10_001);
        let slow = Pace { interval, burst: 8 };
        check(
            config().hidden_pace(slow),
            Err(ConfigError::PaceInterval { interval }),
        );
        let timeout = Duration::from_millis(499);
        check(
            config().ack_timeout(timeout),
            Err(ConfigError::AckTimeout { timeout }),
        );
    }
}
