//! The Web Lock that a tab holds for as long as it lives: the worker asks for the same one, and gets it when the tab is gone,
//! however it went. No event says that: ports have no close event that works
//! ([whatwg/html#10201](https://github.com/whatwg/html/issues/10201)).

use core::{cell::Cell, time::Duration};
use std::rc::Rc;

use futures::{channel::oneshot, future};
use js_sys::{Array, Function, Promise};
use onesocket_protocol::TabToken;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{js, sleep};

/// A drop releases it.
#[derive(Debug)]
pub(super) struct TabLock {
    is_held: Rc<Cell<bool>>,
    release: Function,
    _granted: Closure<dyn FnMut() -> Promise>,
}

impl TabLock {
    /// Asks for the lock, and waits for it, but not for long: a hello without it is better than none. `None` where there are
    /// no Web Locks: an insecure origin, an old browser.
    pub(super) async fn take(token: TabToken) -> Option<Self> {
        let (lock, granted) = Self::request(token)?;
        future::select(granted, Box::pin(sleep(PATIENCE))).await;
        Some(lock)
    }

    fn request(token: TabToken) -> Option<(Self, oneshot::Receiver<()>)> {
        let locks = manager()?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let is_held = Rc::new(Cell::new(false));
        let (tell, granted) = oneshot::channel();
        let (note, mut tell) = (Rc::clone(&is_held), Some(tell));
        let on_granted = Closure::<dyn FnMut() -> Promise>::new(move || {
            note.set(true);
            // `None` and an error both mean that nobody waits any more.
            let _ = tell.take().map(|tell| tell.send(()));
            held.clone()
        });
        let request = locks
            .request(&token.lock_name(), on_granted.as_ref().unchecked_ref())
            .ok()?;
        // An opaque origin is refused by a rejection; it must not end up in the console as unhandled.
        spawn_local(async move {
            let _ = JsFuture::from(request).await;
        });
        Some((
            Self {
                is_held,
                release: release?,
                _granted: on_granted,
            },
            granted,
        ))
    }

    pub(super) fn is_held(&self) -> bool {
        self.is_held.get()
    }
}

impl Drop for TabLock {
    fn drop(&mut self) {
        // Resolving a promise never throws.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// Resolves when a worker that holds the lock of this name has ended, however it ended; at once, with `false`, when none holds
/// it: where there are no Web Locks, a worker can't be watched.
pub(super) async fn has_ended(lock: &str) -> bool {
    let Some(locks) = manager() else { return false };
    if !is_held(&locks, lock).await {
        return false;
    }
    // The lock is let go of when the callback returns.
    let granted = Closure::<dyn FnMut()>::new(|| ());
    let Ok(request) = locks.request(lock, granted.as_ref().unchecked_ref()) else {
        return false;
    };
    JsFuture::from(request).await.is_ok()
}

async fn is_held(locks: &LockManager, lock: &str) -> bool {
    let Ok(query) = locks.query() else {
        return false;
    };
    let Ok(snapshot) = JsFuture::from(query).await else {
        return false;
    };
    let held = js::get(&snapshot, "held");
    held.dyn_ref::<Array>().is_some_and(|held| {
        held.iter()
            .any(|info| js::get(&info, "name").as_string().as_deref() == Some(lock))
    })
}

fn manager() -> Option<LockManager> {
    let locks = js::get(&js::get(&js_sys::global(), "navigator"), "locks");
    locks.is_object().then(|| locks.unchecked_into())
}

/// web-sys has Web Locks behind an unstable flag that every app would have to set.
#[wasm_bindgen]
extern "C" {
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(this: &LockManager, name: &str, callback: &Function) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn query(this: &LockManager) -> Result<Promise, JsValue>;
}

/// Nobody else asks for a lock of this name before the hello, so it is granted within a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(200);
