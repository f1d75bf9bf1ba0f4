//! Web Locks: how a worker learns that a tab is gone, and how the tabs learn that a worker is.
//!
//! No event says either: ports have no close event that works
//! ([whatwg/html#10201](https://github.com/whatwg/html/issues/10201)). The browser releases the locks of a context that ends,
//! however it ends. web-sys has [the API](https://developer.mozilla.org/en-US/docs/Web/API/Web_Locks_API) behind an unstable
//! flag that every app would have to set, so the two methods are declared here.

use std::{cell::OnceCell, rc::Rc};

use js_sys::{Array, Object, Promise};
use onesocket_protocol::Epoch;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, AbortSignal};

use crate::environment::Global;

/// Waits for a tab's lock. A drop withdraws the request.
#[derive(Debug)]
pub(crate) struct TabWatch {
    abort: AbortController,
    _granted: Closure<Callback>,
}

impl TabWatch {
    /// Calls `gone` when the tab no longer holds the lock of this name. `None` where there are no Web Locks: an insecure
    /// origin, an old browser.
    pub(crate) fn new(lock: &str, gone: impl FnOnce() + 'static) -> Option<Self> {
        let locks = manager()?;
        let abort = AbortController::new().ok()?;
        let options: Options = Object::new().unchecked_into();
        options.set_signal(&abort.signal());
        let granted = Closure::once(once(move |_| {
            gone();
            // The lock is released when the callback returns.
            JsValue::UNDEFINED
        }));
        let request = locks.request(&lock.into(), &options, granted.as_ref());
        after(&request.ok()?, |_| ());
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
    /// This worker, in the browser's words, as soon as it has said them.
    client: Rc<OnceCell<JsValue>>,
    request: Promise,
}

impl WorkerLock {
    /// Takes the lock of a run, and calls `done`; with `None` where there are no Web Locks.
    ///
    /// Before it is held, or never will be, no tab may learn the epoch: it could ask for the lock first, get it, and take
    /// this worker for dead.
    pub(crate) fn take(epoch: Epoch, done: impl FnOnce(Option<Self>) + 'static) {
        let Some(locks) = manager() else {
            return done(None);
        };
        let name = epoch.lock_name().into();
        let mut request = None;
        let granted = Promise::new(&mut |resolve, _| {
            // The lock is held until the promise that this returns is settled, which is never.
            let on_granted = Closure::once_into_js(once(move |_| {
                let _ = resolve.call0(&JsValue::UNDEFINED);
                Promise::race(&Array::new()).into()
            }));
            let options = Object::new().unchecked_into();
            request = locks.request(&name, &options, &on_granted).ok();
        });
        let Some(request) = request else {
            return done(None);
        };
        // A refusal (an opaque origin) comes from the request, and the race brings it here.
        let settled = Promise::race(&Array::of2(&granted, &request));
        after(&settled, move |refusal| {
            if !refusal.is_undefined() {
                return done(None);
            }
            // No tab waits for the browser to say who holds it now.
            let client = Rc::new(OnceCell::new());
            let learnt = Rc::clone(&client);
            holder(&locks, &name, move |holder| {
                let _ = holder.map(|holder| learnt.set(holder));
            });
            done(Some(Self {
                locks,
                name,
                client,
                request,
            }));
        });
    }

    /// Finds out whether the lock is still this worker's. A browser that has not said who holds it can't tell.
    pub(crate) fn is_held(&self, done: impl FnOnce(bool) + 'static) {
        // Answers come in the order of the questions, so the first one is there.
        let client = Rc::clone(&self.client);
        holder(&self.locks, &self.name, move |holder| {
            done(
                client
                    .get()
                    .is_none_or(|client| holder.as_ref() == Some(client)),
            );
        });
    }

    /// Calls `then` when the lock has been stolen.
    pub(crate) fn on_stolen(&self, then: impl FnOnce() + 'static) {
        after(&self.request, |_| then());
    }
}

/// Finds out who holds a lock.
fn holder(locks: &LockManager, name: &JsValue, done: impl FnOnce(Option<JsValue>) + 'static) {
    let name = name.clone();
    let snapshot = locks
        .query()
        .unwrap_or_else(|error| Promise::reject(&error));
    after(&snapshot, move |snapshot| done(holder_in(&snapshot, &name)));
}

fn holder_in(snapshot: &JsValue, name: &JsValue) -> Option<JsValue> {
    let held = snapshot.unchecked_ref::<Snapshot>().held().ok()??;
    let mut held = held.iter().map(JsCast::unchecked_into::<Info>);
    let info = held.find(|info| info.name() == *name)?;
    Some(info.client_id())
}

/// Calls `then` when a promise is settled, with its value or its error: the same function is told of both, so that it is
/// called, and freed, in either case. An error that nobody takes would be in the console.
///
/// Not a future: the tasks, wakers and queue behind those weigh more than everything that waits in a worker.
fn after(promise: &Promise, then: impl FnOnce(JsValue) + 'static) {
    let then = Closure::once_into_js(once(move |settled| {
        then(settled);
        JsValue::UNDEFINED
    }));
    let promise: &Settling = promise.unchecked_ref();
    promise.then(&then, &then);
}

/// What the browser calls: of one type, because the way from JS into each type of closure is 300 bytes.
type Callback = dyn FnMut(JsValue) -> JsValue;

fn once(
    callback: impl FnOnce(JsValue) -> JsValue + 'static,
) -> Box<dyn FnOnce(JsValue) -> JsValue> {
    Box::new(callback)
}

fn manager() -> Option<LockManager> {
    Global::navigator()?.locks()
}

#[wasm_bindgen]
extern "C" {
    /// A promise, whose js-sys methods take closures that somebody has to keep.
    type Settling;

    #[wasm_bindgen(method)]
    fn then(this: &Settling, fulfilled: &JsValue, rejected: &JsValue);

    /// The options of a request.
    #[wasm_bindgen(extends = Object)]
    type Options;

    #[wasm_bindgen(method, setter)]
    fn set_signal(this: &Options, signal: &AbortSignal);

    /// What a query tells, if it has not failed.
    type Snapshot;

    #[wasm_bindgen(method, getter, catch)]
    fn held(this: &Snapshot) -> Result<Option<Array>, JsValue>;

    /// A lock that is held.
    type Info;

    #[wasm_bindgen(method, getter)]
    fn name(this: &Info) -> JsValue;

    #[wasm_bindgen(method, getter, js_name = clientId)]
    fn client_id(this: &Info) -> JsValue;

    #[derive(Clone, Debug)]
    pub(crate) type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &JsValue,
        options: &Options,
        callback: &JsValue,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn query(this: &LockManager) -> Result<Promise, JsValue>;
}
