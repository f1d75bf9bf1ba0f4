//! Web Locks: how the worker learns that a tab is gone, how a tab learns that its worker is, and what tabs know of each other.
//!
//! A tab holds a lock for as long as it lives; the worker asks for the same one, and gets it when the tab is gone, however it went.
//! No event says that: ports have no close event that works
//! ([whatwg/html#10201](https://github.com/whatwg/html/issues/10201)).

use core::{
    cell::{Cell, RefCell},
    time::Duration,
};
use std::rc::Rc;

use futures::{channel::oneshot, future};
use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

use super::{js, sleep};

/// A lock that is held from its grant to the drop of this.
#[derive(Debug)]
pub(super) struct HeldLock {
    grant: Rc<Grant>,
    release: Function,
    _granted: Closure<dyn FnMut() -> Promise>,
}

#[derive(Debug, Default)]
struct Grant {
    is_held: Cell<bool>,
    /// The browser has refused it, or taken it away.
    is_lost: Cell<bool>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

/// Whether a lock can be held by one or by many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Exclusive,
    Shared,
}

impl Mode {
    fn options(self) -> Object {
        let mode = match self {
            Self::Exclusive => "exclusive",
            Self::Shared => "shared",
        };
        options("mode", mode)
    }
}

impl HeldLock {
    /// Asks for the lock, and waits for it. `None` where there are no Web Locks.
    pub(super) async fn take(name: &str, mode: Mode) -> Option<Self> {
        let lock = Self::ask(name, mode, || ())?;
        patiently(lock.granted()).await;
        Some(lock)
    }

    /// Resolves when the lock is held, with an error when it is dropped or refused before.
    pub(super) fn granted(&self) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        if self.is_held() {
            // The other end is here.
            let _ = tell.send(());
        } else {
            self.grant.waiting.borrow_mut().push(tell);
        }
        told
    }

    /// Asks for the lock. `None` where there are no Web Locks: an insecure origin, an old browser.
    ///
    /// `on_taken` is called when it was held and is taken away: somebody has stolen it, or the browser has released it.
    pub(super) fn ask(name: &str, mode: Mode, on_taken: impl FnOnce() + 'static) -> Option<Self> {
        let locks = manager()?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let grant = Rc::new(Grant::default());
        let note = Rc::clone(&grant);
        let on_granted = Closure::<dyn FnMut() -> Promise>::new(move || {
            note.is_held.set(true);
            for tell in note.waiting.take() {
                // Who has stopped waiting does not mind.
                let _ = tell.send(());
            }
            held.clone()
        });
        let request = locks
            .request(name, &mode.options(), on_granted.as_ref().unchecked_ref())
            .ok()?;
        let note = Rc::clone(&grant);
        // An opaque origin is refused by a rejection, too; it must not end up in the console as unhandled.
        spawn_local(async move {
            if JsFuture::from(request).await.is_ok() {
                return;
            }
            note.is_lost.set(true);
            note.waiting.take();
            if note.is_held.replace(false) {
                on_taken();
            }
        });
        Some(Self {
            grant,
            release: release?,
            _granted: on_granted,
        })
    }

    pub(super) fn is_held(&self) -> bool {
        self.grant.is_held.get()
    }

    /// Returns whether it was refused, or is held no longer.
    pub(super) fn is_lost(&self) -> bool {
        self.grant.is_lost.get()
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // Resolving a promise never throws.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// Waits for a lock, but not for long: to go on without it is better than not to go on.
pub(super) async fn patiently(granted: oneshot::Receiver<()>) {
    future::select(granted, Box::pin(sleep(PATIENCE))).await;
}

/// What becomes of a [`Bid`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BidNews {
    /// The lock is this tab's.
    Won,
    /// It never will be: the browser refuses.
    Refused,
    /// It was this tab's until somebody has stolen it.
    Stolen,
}

/// A request for an exclusive lock that may wait for as long as it takes, and what comes of it. A drop withdraws it, and lets go
/// of the lock.
#[derive(Debug)]
pub(super) struct Bid {
    is_won: Rc<Cell<bool>>,
    release: Function,
    abort: Option<AbortController>,
    is_dropped: Rc<Cell<bool>>,
    _granted: Closure<dyn FnMut() -> Promise>,
}

impl Bid {
    /// Waits in the queue, or takes the lock away from whoever has it. `None` where there are no Web Locks.
    pub(super) fn make(
        name: &str,
        steals: bool,
        on_news: impl Fn(BidNews) + 'static,
    ) -> Option<Self> {
        let locks = manager()?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let (is_won, is_dropped) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let on_news = Rc::new(on_news);
        let (note, tell) = (Rc::clone(&is_won), Rc::clone(&on_news));
        let granted = Closure::<dyn FnMut() -> Promise>::new(move || {
            note.set(true);
            tell(BidNews::Won);
            held.clone()
        });
        // A request that steals can't be withdrawn, and need not be.
        let abort = if steals {
            None
        } else {
            Some(AbortController::new().ok()?)
        };
        let options = match &abort {
            Some(abort) => options("signal", abort.signal()),
            None => options("steal", true),
        };
        let request = locks
            .request(name, &options, granted.as_ref().unchecked_ref())
            .ok()?;
        let (was_won, was_dropped) = (Rc::clone(&is_won), Rc::clone(&is_dropped));
        spawn_local(async move {
            let ended = JsFuture::from(request).await;
            if was_dropped.get() || ended.is_ok() {
                return;
            }
            let was_won = was_won.replace(false);
            on_news(if was_won {
                BidNews::Stolen
            } else {
                BidNews::Refused
            });
        });
        Some(Self {
            is_won,
            release: release?,
            abort,
            is_dropped,
            _granted: granted,
        })
    }

    /// Returns whether the lock is this tab's.
    pub(super) fn is_won(&self) -> bool {
        self.is_won.get()
    }
}

impl Drop for Bid {
    fn drop(&mut self) {
        self.is_dropped.set(true);
        // Resolving a promise never throws.
        let _ = self.release.call0(&JsValue::UNDEFINED);
        if let Some(abort) = self.abort.as_ref().filter(|_| !self.is_won.get()) {
            abort.abort();
        }
    }
}

/// How the watch over a worker's lock ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Watch {
    /// Nobody holds the lock any more: the worker has ended, however it ended, or the lock was stolen from it.
    Released,
    /// Nobody held it from the start.
    NotHeld,
    /// There are no Web Locks here.
    Impossible,
}

/// Waits until a worker that holds the lock of this name has ended. A drop of the future withdraws the request, which would wait
/// for as long as the page lives else.
///
/// The mode is that of the request. An exclusive one waits for those that hold the lock shared, too, as the workers of a hall do.
pub(super) async fn watch(lock: &str, mode: Mode) -> Watch {
    let (Some(locks), Some(held)) = (manager(), held().await) else {
        return Watch::Impossible;
    };
    if !held.iter().any(|held| held.name == lock) {
        return Watch::NotHeld;
    }
    // The lock is let go of when the callback returns; all that wait get it at the same time.
    let granted = Closure::<dyn FnMut()>::new(|| ());
    let options = mode.options();
    let Ok(withdrawal) = AbortController::new().map(Withdrawal) else {
        return Watch::Impossible;
    };
    // It throws only for what is no object.
    let _ = Reflect::set(&options, &"signal".into(), &withdrawal.0.signal());
    let Ok(request) = locks.request(lock, &options, granted.as_ref().unchecked_ref()) else {
        return Watch::Impossible;
    };
    match JsFuture::from(request).await {
        Ok(_) => Watch::Released,
        Err(_) => Watch::Impossible,
    }
}

/// A drop withdraws a request.
struct Withdrawal(AbortController);

impl Drop for Withdrawal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes the lock away from whoever holds it, and lets go of it. Returns whether it was done.
pub(super) async fn steal(lock: &str) -> bool {
    let Some(locks) = manager() else { return false };
    let granted = Closure::<dyn FnMut()>::new(|| ());
    match locks.request(
        lock,
        &options("steal", true),
        granted.as_ref().unchecked_ref(),
    ) {
        Ok(request) => JsFuture::from(request).await.is_ok(),
        Err(_) => false,
    }
}

/// A lock that somebody of this origin holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) name: String,
    /// Who holds it, in the browser's words.
    pub(super) client: String,
}

impl Held {
    pub(super) fn as_pair(&self) -> (&str, &str) {
        (&self.name, &self.client)
    }
}

/// Returns the locks that are held at this moment; `None` where there are no Web Locks.
pub(super) async fn held() -> Option<Vec<Held>> {
    answer(query()?).await
}

/// Asks which locks are held at this moment.
pub(super) fn query() -> Option<Promise> {
    manager()?.query().ok()
}

/// Returns what the browser has said to a [`query`].
pub(super) async fn answer(query: Promise) -> Option<Vec<Held>> {
    let snapshot = JsFuture::from(query).await.ok()?;
    let held = js::get(&snapshot, "held").dyn_into::<Array>().ok()?;
    let text = |info: &JsValue, name| js::get(info, name).as_string();
    let known = held.iter().filter_map(|info| {
        Some(Held {
            name: text(&info, "name")?,
            client: text(&info, "clientId")?,
        })
    });
    Some(known.collect())
}

fn options(name: &str, value: impl Into<JsValue>) -> Object {
    let options = Object::new();
    // It throws only for what is no object.
    let _ = Reflect::set(&options, &name.into(), &value.into());
    options
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
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        callback: &Function,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn query(this: &LockManager) -> Result<Promise, JsValue>;
}

/// Nobody holds what is asked for against this tab, so it is granted within a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(200);
