//! Web Locks: how a worker learns that a tab is gone, and how the tabs learn that a worker is.
//!
//! No event says either: ports have no close event that works
//! ([whatwg/html#10201](https://github.com/whatwg/html/issues/10201)). The browser releases the locks of a context that ends,
//! however it ends. web-sys has [the API](https://developer.mozilla.org/en-US/docs/Web/API/Web_Locks_API) behind an unstable
//! flag that every app would have to set, so the two methods are declared here.

use js_sys::{Array, Object, Promise, Reflect};
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
        let request = locks.request(&lock.into(), &options, granted.as_ref());
        spawn_local(ended(request.ok()?));
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

/// The lock of a worker, held until its end: who gets it knows that this worker has ended, or may do nothing any more.
#[derive(Debug)]
pub(crate) struct WorkerLock {
    locks: LockManager,
    name: JsValue,
    /// This worker, in the browser's words.
    client: JsValue,
    request: Promise,
}

impl WorkerLock {
    /// Takes the lock of a run; `None` where there are no Web Locks.
    ///
    /// Before it is held, or never will be, no tab may learn the epoch: it could ask for the lock first, get it, and take
    /// this worker for dead.
    pub(crate) async fn take(epoch: Epoch) -> Option<Self> {
        let locks = manager()?;
        let name = epoch.lock_name().into();
        let mut request = None;
        let granted = Promise::new(&mut |resolve, _| {
            // The lock is held until the promise that this returns is settled, which is never.
            let on_granted = Closure::once_into_js(move || {
                let _ = resolve.call0(&JsValue::UNDEFINED);
                Promise::new(&mut |_, _| ())
            });
            request = locks.request(&name, &Object::new(), &on_granted).ok();
        });
        let request = request?;
        // A refusal (an opaque origin) comes from the request, and the race brings it here.
        let settled = Promise::race(&Array::of2(&granted, &request));
        JsFuture::from(settled).await.ok()?;
        let client = holder(&locks, &name).await?;
        Some(Self {
            locks,
            name,
            client,
            request,
        })
    }

    /// Returns whether the lock is still this worker's.
    pub(crate) async fn is_held(&self) -> bool {
        holder(&self.locks, &self.name).await.as_ref() == Some(&self.client)
    }

    /// Resolves when the lock has been stolen.
    pub(crate) fn stolen(&self) -> impl Future<Output = ()> + use<> {
        ended(self.request.clone())
    }
}

/// Returns who holds a lock.
async fn holder(locks: &LockManager, name: &JsValue) -> Option<JsValue> {
    let snapshot = JsFuture::from(locks.query().ok()?).await.ok()?;
    let held: Array = get(&snapshot, "held")?.unchecked_into();
    let info = held
        .iter()
        .find(|info| get(info, "name").as_ref() == Some(name))?;
    get(&info, "clientId")
}

/// Resolves when the promise of a request is settled. A rejection (aborted, stolen, an opaque origin) would be an error in the
/// console else.
async fn ended(request: Promise) {
    let _ = JsFuture::from(request).await;
}

fn manager() -> Option<LockManager> {
    let locks = get(&get(&js_sys::global(), "navigator")?, "locks")?;
    locks.is_object().then(|| locks.unchecked_into())
}

fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok()
}

#[wasm_bindgen]
extern "C" {
    #[derive(Debug)]
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &JsValue,
        options: &Object,
        callback: &JsValue,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn query(this: &LockManager) -> Result<Promise, JsValue>;
}
