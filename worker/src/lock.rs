//! Web Locks: how a worker learns that a tab is gone, and how the tabs learn that a worker is.
//!
//! No event says either: ports have no close event that works
//! ([whatwg/html#10201](https://github.com/whatwg/html/issues/10201)). The browser releases the locks of a context that ends,
//! however it ends. web-sys has [the API](https://developer.mozilla.org/en-US/docs/Web/API/Web_Locks_API) behind an unstable
//! flag that every app would have to set, so the two methods are declared here.

use std::{cell::Cell, rc::Rc};

use js_sys::{Function, Object, Promise, Reflect};
use onesocket_protocol::Epoch;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

/// Waits for a tab's lock. A drop withdraws the request.
#[derive(Debug)]
pub(crate) struct TabWatch {
    abort: AbortController,
    _granted: Closure<dyn FnMut()>,
}

impl TabWatch {
    /// Calls `gone` when the tab no longer holds the lock of this name. `None` where there are no Web Locks: an insecure
    /// origin, an old browser.
    pub(crate) fn new(lock: &str, gone: impl FnOnce() + 'static) -> Option<Self> {
        let locks = manager()?;
        let abort = AbortController::new().ok()?;
        let options = Object::new();
        Reflect::set(&options, &"signal".into(), &abort.signal()).ok()?;
        // The lock is released when the callback returns.
        let granted = Closure::once(gone);
        when_refused(
            locks
                .request(lock, &options, granted.as_ref().unchecked_ref())
                .ok()?,
            || (),
        );
        Some(Self {
            abort,
            _granted: granted,
        })
    }
}

impl Drop for TabWatch {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// The lock of a worker: who gets it knows that this worker has ended. A drop releases it.
#[derive(Debug)]
pub(crate) struct WorkerLock {
    release: Function,
    _granted: Closure<dyn FnMut() -> Promise>,
}

impl WorkerLock {
    /// Takes the lock of a run; `None` where there are no Web Locks.
    ///
    /// Calls `settled` when the lock is held, or never will be: before that no tab may learn the epoch, or it could ask for
    /// the lock first, get it, and take this worker for dead.
    pub(crate) fn take(epoch: Epoch, settled: impl FnOnce() + 'static) -> Option<Self> {
        let settled = Rc::new(Cell::new(Some(settled)));
        let settle = move || settled.take().map_or((), |settled| settled());
        let lock = Self::request(epoch, settle.clone());
        if lock.is_none() {
            settle();
        }
        lock
    }

    fn request(epoch: Epoch, settle: impl Fn() + Clone + 'static) -> Option<Self> {
        let locks = manager()?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let on_granted = settle.clone();
        let granted = Closure::new(move || {
            on_granted();
            // The lock is held until this promise is resolved.
            held.clone()
        });
        let name = epoch.lock_name();
        let request = locks
            .request(&name, &Object::new(), granted.as_ref().unchecked_ref())
            .ok()?;
        when_refused(request, settle);
        Some(Self {
            release: release?,
            _granted: granted,
        })
    }
}

impl Drop for WorkerLock {
    fn drop(&mut self) {
        // Resolving a promise never throws.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

fn manager() -> Option<LockManager> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}

/// Handles a rejection (aborted, an opaque origin), which would be an error in the console else.
fn when_refused(request: Promise, refused: impl FnOnce() + 'static) {
    spawn_local(async move {
        if JsFuture::from(request).await.is_err() {
            refused();
        }
    });
}

#[wasm_bindgen]
extern "C" {
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        callback: &Function,
    ) -> Result<Promise, JsValue>;
}
