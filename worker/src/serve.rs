//! The `main` of a worker.

pub(crate) mod prelude;

use std::{cell::RefCell, panic};

use onesocket_protocol::{DebugLevel, FailedStart, WorkerScope};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{EventTarget, MessageEvent, MessagePort};

use crate::{Host, debug, environment, listener::Listener, lock::WorkerLock};
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
    report_panics();
    let entrance = Entrance::open(scope);
    SERVING.with_borrow_mut(|serving| {
        if let Some(serving) = serving {
            serving.entrance = Some(entrance);
        }
    });
    spawn_local(async move {
        let lock = WorkerLock::take(epoch).await;
        admit_waiting(lock);
    });
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
    Prelude(Closure<dyn Fn(MessagePort)>),
    /// There is none: a tab that came too early has to knock again.
    Own(Listener),
}

impl Entrance {
    fn open(scope: WorkerScope) -> Self {
        if let Some(prelude) = Prelude::find() {
            let accept = Closure::<dyn Fn(MessagePort)>::new(admit);
            prelude.serve(accept.as_ref().unchecked_ref());
            return Self::Prelude(accept);
        }
        let event = if scope == WorkerScope::Shared {
            "connect"
        } else {
            "message"
        };
        let global: EventTarget = js_sys::global().unchecked_into();
        Self::Own(Listener::new(&global, event, |event| {
            let port = event.unchecked_into::<MessageEvent>().ports().get(0);
            if let Ok(port) = port.dyn_into::<MessagePort>() {
                admit(port);
            }
        }))
    }
}

/// Tells the tabs about a panic before the instance traps; nothing in it can be trusted after that.
fn report_panics() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let reason = info.to_string();
        web_sys::console::error_1(&reason.as_str().into());
        previous(info);
        if let Some(prelude) = Prelude::find() {
            return prelude.fail(&reason);
        }
        // The panic may have come while this was borrowed.
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
    }));
}
