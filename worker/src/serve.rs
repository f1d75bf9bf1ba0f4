//! The `main` of a worker.

mod panic;
pub(crate) mod prelude;

use std::cell::RefCell;

use onesocket_protocol::{DebugLevel, FailedStart, WorkerScope};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, MessagePort};

use crate::{
    Host, debug,
    environment::{self, Global},
    listener::Listener,
    lock::WorkerLock,
};
use prelude::Prelude;

/// Serves every tab that connects to this worker, for as long as it lives. Returns at once.
///
/// To be called from `main`, in a SharedWorker or a dedicated Worker, as early as possible. Anywhere else, and the second time,
/// it does nothing but log a warning.
///
/// A panic ends the worker: every tab is told why, and `self.close()` makes room for a fresh one.
pub fn serve() {
    #[cfg(feature = "tracing")]
    debug::install();
    let scope = match environment::scope() {
        Some(scope @ (WorkerScope::Shared | WorkerScope::Dedicated)) => scope,
        Some(WorkerScope::Main) | None => {
            return debug::warn("serve() was called outside of a worker");
        }
    };
    if SERVING.with_borrow(Option::is_some) {
        return debug::warn("serve() was called twice");
    }
    let host = Host::start(scope, DebugLevel::Off);
    let epoch = host.epoch();
    SERVING.set(Some(Serving {
        host,
        waiting: Some(Vec::new()),
        entrance: None,
    }));
    panic::report(fail);
    let entrance = Entrance::open(scope);
    SERVING.with_borrow_mut(|serving| {
        if let Some(serving) = serving {
            serving.entrance = Some(entrance);
        }
    });
    WorkerLock::take(epoch, admit_waiting);
}

struct Serving {
    host: Host,
    /// The ports that came before the worker's lock was held; `None` since then.
    waiting: Option<Vec<MessagePort>>,
    entrance: Option<Entrance>,
}

thread_local! {
    static SERVING: RefCell<Option<Serving>> = const { RefCell::new(None) };
}

fn admit(port: MessagePort) {
    let host = SERVING.with_borrow_mut(|serving| {
        let serving = serving.as_mut()?;
        match &mut serving.waiting {
            Some(waiting) => {
                waiting.push(port);
                None
            }
            None => Some((serving.host.clone(), port)),
        }
    });
    if let Some((host, port)) = host {
        host.accept(port);
    }
}

/// The lock is held, or never will be.
fn admit_waiting(lock: Option<WorkerLock>) {
    let waiting = SERVING.with_borrow_mut(|serving| {
        let serving = serving.as_mut()?;
        if let Some(lock) = lock {
            serving.host.fence(lock);
        }
        serving.waiting.take()
    });
    waiting.into_iter().flatten().for_each(admit);
}

/// Where the tabs come in.
#[expect(dead_code, reason = "held for its drop")]
enum Entrance {
    /// The prelude has listened from the start.
    Prelude(Closure<dyn Fn(JsValue)>),
    /// There is none: a tab that came too early has to knock again.
    Own(Listener),
}

impl Entrance {
    fn open(scope: WorkerScope) -> Self {
        if let Some(prelude) = Prelude::find() {
            // Of the type of the listeners' closures: each has its own way from JS.
            let accept =
                Closure::<dyn Fn(JsValue)>::new(|port: JsValue| admit(port.unchecked_into()));
            prelude.serve(accept.as_ref().unchecked_ref());
            return Self::Prelude(accept);
        }
        let event = if scope == WorkerScope::Shared {
            "connect"
        } else {
            "message"
        };
        Self::Own(Listener::new(&Global::get(), event, |event| {
            let port = event.unchecked_into::<MessageEvent>().ports().get(0);
            if let Ok(port) = port.dyn_into::<MessagePort>() {
                admit(port);
            }
        }))
    }
}

/// Tells the tabs what has happened, and ends the worker.
fn fail(reason: String) {
    if let Some(prelude) = Prelude::find() {
        return prelude.fail(&reason);
    }
    // It may have happened while this was borrowed.
    SERVING.with(|serving| {
        if let Some(serving) = serving
            .try_borrow()
            .ok()
            .as_ref()
            .and_then(|serving| serving.as_ref())
        {
            serving
                .host
                .try_post_to_all(&FailedStart { reason }.encode());
        }
    });
    prelude::close_worker();
}
