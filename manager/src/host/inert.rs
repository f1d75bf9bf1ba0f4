//! Where there is no browser: everything answers at once that there is none.

use core::{future, time::Duration};
use std::rc::Rc;

use futures::channel::oneshot;
use onesocket_engine::SessionFailure;
use onesocket_protocol::{DebugLevel, Epoch, TabToken};

use crate::{
    Capabilities, ConfigError, ManagerConfig, ManagerState, SwitchError, Tier, core::Core,
    wiring::Control,
};

#[derive(Debug)]
pub(crate) struct Host;

impl Host {
    pub(crate) fn new(_: &ManagerConfig) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    /// It is never said to anybody.
    pub(crate) fn token(&self) -> TabToken {
        TabToken(0)
    }

    pub(crate) fn post(&self, _: &[u8]) {}
}

pub(crate) fn begin(core: &Rc<Core>) {
    core.fail(SessionFailure::NoBrowser);
}

pub(crate) fn start(_: &Rc<Core>) {}

pub(crate) fn deliver_soon(core: &Rc<Core>) {
    core.deliver();
}

pub(crate) fn deliver(core: &Rc<Core>) {
    core.deliver();
}

pub(crate) fn show_log(_: DebugLevel) {}

pub(crate) fn on_control(_: &Rc<Core>, control: Control) {
    debug_assert!(false, "without a worker nobody says {control:?}");
}

pub(crate) fn switch(_: &Rc<Core>, _: Tier) -> oneshot::Receiver<Result<(), SwitchError>> {
    let (tell, told) = oneshot::channel();
    // The receiver is at hand.
    let _ = tell.send(Err(SwitchError::NotRunning));
    told
}

pub(crate) fn release(core: &Rc<Core>) {
    core.report.enter(ManagerState::Released);
    core.wiring.drop_sinks();
}

pub(crate) fn detect() -> Capabilities {
    Capabilities::default()
}

pub(crate) fn epoch(_: &Core) -> Option<Epoch> {
    None
}

/// There is nothing whose time could be taken; in tests [`pass`] lets it pass.
pub(crate) fn now() -> Duration {
    #[cfg(not(test))]
    return Duration::ZERO;
    #[cfg(test)]
    NOW.get()
}

#[cfg(test)]
thread_local! {
    static NOW: core::cell::Cell<Duration> = const { core::cell::Cell::new(Duration::ZERO) };
}

#[cfg(test)]
pub(crate) fn pass(time: Duration) {
    NOW.set(NOW.get() + time);
}

/// There is no event loop. In tests it is the test.
pub(crate) struct Bell;

impl Bell {
    pub(crate) fn new(_: &Rc<Core>) -> Option<Self> {
        cfg!(test).then_some(Self)
    }

    #[expect(clippy::unused_self, reason = "it is used where there is a page")]
    pub(crate) fn ring(&self) -> bool {
        true
    }
}

pub(crate) fn sleep(_: Duration) -> impl Future<Output = ()> {
    future::ready(())
}
