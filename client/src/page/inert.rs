//! No page: on a native target nothing is ever sent, so nothing is ever waited for.

use std::time::Duration;

use futures::{FutureExt, future, future::LocalBoxFuture};

use crate::BuildError;

/// Takes the URL as it is: there is nothing that it could be relative to.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is fallible where there is a page"
)]
pub(crate) fn resolve_url(url: &str) -> Result<String, BuildError> {
    Ok(url.to_owned())
}

pub(crate) fn random_53_bits() -> u64 {
    0
}

pub(crate) fn sleep(_: Duration) -> LocalBoxFuture<'static, ()> {
    future::pending().boxed_local()
}

/// Nobody would run it, and nobody has asked for it.
pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    drop(task);
}

/// Does something at once: nobody would run it later. In tests [`run_due`] does.
pub(crate) fn soon(task: impl FnOnce() + 'static) {
    #[cfg(not(test))]
    task();
    #[cfg(test)]
    DUE.with_borrow_mut(|due| due.push(Box::new(task)));
}

#[cfg(test)]
thread_local! {
    static DUE: std::cell::RefCell<Vec<Box<dyn FnOnce()>>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Does what was to be done soon, and returns how much that was.
#[cfg(test)]
pub(crate) fn run_due() -> usize {
    let due = DUE.take();
    let len = due.len();
    due.into_iter().for_each(|task| task());
    len
}

/// There are no frames.
pub(crate) struct Frames;

impl Frames {
    pub(crate) fn new(run: impl Fn() + 'static) -> Self {
        drop(run);
        Self
    }

    #[expect(clippy::unused_self, reason = "it is used where there is a page")]
    pub(crate) fn request(&self) {}
}
