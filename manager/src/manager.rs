//! The handle that clients hold.

use core::{cell::RefCell, fmt, time::Duration};
use std::rc::{Rc, Weak};

use futures::future::{self, Either};
use litemap::LiteMap;
use onesocket_engine::{ChannelConfig, ChannelEvent, SessionFailure};
use onesocket_protocol::{DebugLevel, Epoch, Sight};

use crate::{
    Channel, ConfigError, Inspection, Ladder, ManagerConfig, ManagerState, Observation, PingError,
    ScriptKind, SwitchError, Tier, TierPolicy, Turn, core::Core, host,
};

/// Brings a page to a worker, and keeps it there: it picks the tier, spawns the worker, and carries the frames.
///
/// It lives in the page. Cloning it is cheap and shares the worker. When the last clone and the last [`Channel`] are dropped, the
/// worker is told goodbye and released: a dedicated worker is terminated (tabs that follow elect another leader) after 10 s, for what its socket still holds, or when this page
/// needs one again; the loop of the main tier is stopped; a SharedWorker lives on for other tabs. A sink or listener that owns a clone keeps it alive.
///
/// Neither sinks nor listeners are ever called from within a call of the manager or a channel: that call has returned before.
/// (On native targets, where there is nothing to wait for, they are called at once.)
///
/// ```
/// use onesocket_manager::{ChannelConfig, ChannelEvent, ManagerConfig, SessionFailure, WorkerManager};
/// use onesocket_protocol::{LinkKey, LinkPolicy, Replay};
///
/// let manager = WorkerManager::shared(ManagerConfig::default())?;
/// let key = LinkKey { url: "wss://x.org/".into(), subprotocols: vec![], account: String::new() };
/// let config = ChannelConfig { key, policy: LinkPolicy::default(), replay: Replay::None };
/// let channel = manager.open(config, |event| {
///     # #[cfg(not(target_family = "wasm"))]
///     // On a server, where pages are rendered and no socket is wanted.
///     assert!(matches!(event, ChannelEvent::Failed(SessionFailure::NoBrowser) | ChannelEvent::Closed));
/// });
/// drop(channel);
/// # Ok::<(), onesocket_manager::ConfigError>(())
/// ```
pub struct WorkerManager {
    core: Rc<Core>,
}

impl WorkerManager {
    /// Makes a manager with a worker connection of its own.
    ///
    /// # Errors
    ///
    /// When the configuration makes no sense. That no tier works is no error here: [`ready`](Self::ready) tells.
    pub fn new(config: ManagerConfig) -> Result<Self, ConfigError> {
        Core::new(config).map(Self::of)
    }

    /// Returns this page's manager for the configuration's worker, and makes it when there is none: what has the same
    /// `name`, `script`, `script_kind` and `tiers` shares a port. The other fields count for the first one only.
    ///
    /// # Errors
    ///
    /// When the configuration makes no sense.
    pub fn shared(config: ManagerConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let key = RegistryKey::of(&config);
        let known = REGISTRY.with_borrow(|registry| registry.get(&key).and_then(Weak::upgrade));
        if let Some(core) = known.filter(|core| core.report.state() != ManagerState::Released) {
            return Ok(Self::of(core));
        }
        let core = Core::new(config)?;
        REGISTRY.with_borrow_mut(|registry| {
            registry.retain(|_, core| core.strong_count() > 0);
            registry.insert(key, Rc::downgrade(&core));
        });
        Ok(Self::of(core))
    }

    fn of(core: Rc<Core>) -> Self {
        core.add_handle();
        Self { core }
    }

    pub(crate) fn core(&self) -> &Rc<Core> {
        &self.core
    }

    /// Opens a channel. Everything about it goes to the sink, up to [`ChannelEvent::Closed`]; the sink may call whatever it
    /// likes. Starts a lazy manager.
    pub fn open(&self, config: ChannelConfig, sink: impl FnMut(ChannelEvent) + 'static) -> Channel {
        self.start();
        let channel = self
            .core
            .wiring
            .open(&|frame| self.core.host.post(frame), config, sink);
        host::deliver_soon(&self.core);
        Channel::new(channel, self.clone())
    }

    /// Starts a lazy manager, and a failed one again: channels that are still open come back to life. Does nothing when it
    /// is under way already.
    pub fn start(&self) {
        host::start(&self.core);
    }

    /// Resolves when a tier runs, or none could be had. Starts a lazy manager.
    ///
    /// # Errors
    ///
    /// When no tier works; [`ladder`](Self::ladder) tells why each did not.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub fn ready(&self) -> impl Future<Output = Result<Tier, SessionFailure>> + use<> {
        self.start();
        let ready = self.core.report.ready();
        // Nobody can drop the report while the handle is held.
        let handle = self.clone();
        async move {
            let ready = ready.await;
            drop(handle);
            ready.unwrap_or(Err(SessionFailure::NoTier))
        }
    }

    /// Returns what the manager is doing.
    #[must_use]
    pub fn state(&self) -> ManagerState {
        self.core.report.state()
    }

    /// Returns the tier that runs.
    #[must_use]
    pub fn tier(&self) -> Option<Tier> {
        self.core.report.tier()
    }

    /// Returns which run of a worker this page is with; all tabs that share a worker read the same. `None` while no tier runs.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.tier().and_then(|_| host::epoch(&self.core))
    }

    /// Returns what was tried so far, and what came of it.
    #[must_use]
    pub fn ladder(&self) -> Ladder {
        self.core.report.ladder()
    }

    /// Returns what a reader asks whether to go on: see [`Turn`].
    #[must_use]
    pub fn turn(&self) -> Turn {
        self.core.turn.clone()
    }

    /// Calls `listener` after every change of [`state`](Self::state) or [`ladder`](Self::ladder), until the guard is dropped.
    pub fn on_change(&self, listener: impl FnMut(&ManagerState, &Ladder) + 'static) -> ChangeGuard {
        let id = self.core.report.listen(listener);
        ChangeGuard {
            core: Rc::downgrade(&self.core),
            id,
        }
    }

    /// Changes to another tier while channels are open. Sends that the old worker has only queued, and later ones, go through
    /// the new one; when the old worker does not answer within two seconds, what it had is reported as
    /// [`ChannelEvent::MaybeSent`]. When the new tier does not work, the ladder is taken.
    ///
    /// # Errors
    ///
    /// When the tab is not on that tier in the end.
    ///
    /// # Cancel safety
    ///
    /// The switch goes on when the future is dropped.
    pub fn switch_tier(&self, tier: Tier) -> impl Future<Output = Result<(), SwitchError>> + use<> {
        let switched = self
            .check_switch(tier)
            .map(|()| (self.tier() != Some(tier)).then(|| host::switch(&self.core, tier)));
        async move {
            match switched? {
                Some(switched) => switched.await.unwrap_or(Err(SwitchError::Dropped)),
                None => Ok(()),
            }
        }
    }

    fn check_switch(&self, tier: Tier) -> Result<(), SwitchError> {
        match self.state() {
            ManagerState::Running(_) if self.core.config.tiers.allows(tier) => Ok(()),
            ManagerState::Running(_) => Err(SwitchError::NotAllowed { tier }),
            ManagerState::Switching { .. } => Err(SwitchError::Busy),
            ManagerState::Idle
            | ManagerState::Starting
            | ManagerState::Failed(_)
            | ManagerState::Released => Err(SwitchError::NotRunning),
        }
    }

    /// Asks the worker to fail. One that is built without the feature `faults` answers with
    /// [`WorkerError::InvalidFrame`](onesocket_protocol::WorkerError::InvalidFrame). Without a worker, nothing happens.
    #[cfg(feature = "faults")]
    pub fn fault(&self, fault: onesocket_protocol::Fault) {
        self.core.host.post(&fault.encode());
    }

    /// Turns the debug log of this tab and of its worker on or off. A SharedWorker then logs for all its tabs.
    pub fn set_debug(&self, level: DebugLevel) {
        host::show_log(level);
        self.core
            .wiring
            .set_debug(&|frame| self.core.host.post(frame), level);
        host::deliver_soon(&self.core);
    }

    /// Lets `observer` see what the worker does, until the guard is dropped: its log, and a survey of tabs and connections whenever
    /// [`Inspection::survey`] asks. Other tabs notice nothing, and no console shows anything. It does not keep the manager alive.
    ///
    /// Nothing is seen on [`Sight::Off`]. The observer may call whatever it likes.
    pub fn inspect(
        &self,
        sight: Sight,
        observer: impl FnMut(&Observation) + 'static,
    ) -> Inspection {
        Inspection::begin(&self.core, sight, observer)
    }

    /// Measures the round trip to the worker, for up to five seconds.
    ///
    /// # Errors
    ///
    /// When no tier runs, or the worker does not answer in time.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub fn ping(&self) -> impl Future<Output = Result<Duration, PingError>> + use<> {
        let handle = self.clone();
        async move {
            if handle.tier().is_none() {
                return Err(PingError::NotRunning);
            }
            let sent = host::now();
            let mut ping = handle.core.ping();
            let timeout = Box::pin(host::sleep(PING_TIMEOUT));
            match future::select(&mut ping.answered, timeout).await {
                Either::Left((Ok(()), _)) => Ok(host::now().saturating_sub(sent)),
                Either::Left((Err(_), _)) | Either::Right(_) => Err(PingError::Timeout {
                    after: PING_TIMEOUT,
                }),
            }
        }
    }
}

impl Clone for WorkerManager {
    fn clone(&self) -> Self {
        Self::of(Rc::clone(&self.core))
    }
}

/// Clones are equal.
impl PartialEq for WorkerManager {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.core, &other.core)
    }
}

impl Eq for WorkerManager {}

impl Drop for WorkerManager {
    fn drop(&mut self) {
        self.core.drop_handle();
    }
}

impl fmt::Debug for WorkerManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerManager")
            .field("report", &self.core.report)
            .finish_non_exhaustive()
    }
}

/// Keeps a listener of [`WorkerManager::on_change`] listening. A drop ends it. It does not keep the manager alive.
#[must_use = "a listener ends when its guard is dropped"]
pub struct ChangeGuard {
    core: Weak<Core>,
    id: u64,
}

impl ChangeGuard {
    /// Keeps the listener for as long as the manager lives.
    pub fn keep(mut self) {
        self.core = Weak::new();
    }
}

impl Drop for ChangeGuard {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            core.report.unlisten(self.id);
        }
    }
}

impl fmt::Debug for ChangeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeGuard")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct RegistryKey {
    name: String,
    script: String,
    script_kind: ScriptKind,
    tiers: TierPolicy,
}

impl RegistryKey {
    fn of(config: &ManagerConfig) -> Self {
        Self {
            name: config.name.clone(),
            script: config.script.clone(),
            script_kind: config.script_kind,
            tiers: config.tiers.clone(),
        }
    }
}

thread_local! {
    static REGISTRY: RefCell<LiteMap<RegistryKey, Weak<Core>>> = const { RefCell::new(LiteMap::new()) };
}

/// A healthy worker answers within a millisecond or two; one that is compiling or under load within a second.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
