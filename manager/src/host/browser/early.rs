//! A worker that the page has started before its wasm was there.
//!
//! A script in the head leaves it in `onesocketWorker` of the global object, with the script and the options it was made of. It is taken over when those are
//! the ones that this manager would make one of. A SharedWorker's port is there then, so that nobody waits for the browser. A dedicated one is started
//! when the browser has said that nobody leads, unless a `null` in its place says that the client has one of its own by then. Whether it has failed
//! meanwhile the script may note in `failed`.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{SharedWorker, Worker};

use super::{js::get, succession};
use crate::{ScriptKind, core::Core};

/// Takes a SharedWorker, once.
pub(super) fn shared(core: &Core) -> Option<SharedWorker> {
    let name = succession::worker_name(core);
    let worker = take(core, &name, JsCast::is_instance_of::<SharedWorker>)?;
    (has_failed() != Some(true)).then(|| worker.unchecked_into())
}

/// Takes a dedicated one, once.
pub(super) fn dedicated(core: &Core) -> Option<Early> {
    let worker = take(core, &core.config.name, JsCast::is_instance_of::<Worker>)?;
    let worker: Worker = worker.unchecked_into();
    let failed = has_failed();
    if failed == Some(true) {
        // An error need not have ended it.
        worker.terminate();
        return None;
    }
    Some(Early {
        worker,
        is_watched: failed.is_some(),
    })
}

/// A dedicated worker that the page has started.
pub(super) struct Early {
    pub(super) worker: Worker,
    /// Whether it is known that it has not failed before anybody listened here.
    pub(super) is_watched: bool,
}

/// Ends a dedicated one: this tab is with another tab's.
pub(super) fn end(core: &Core) {
    if let Some(early) = dedicated(core) {
        early.worker.terminate();
    }
}

fn take(core: &Core, name: &str, is_of_tier: fn(&JsValue) -> bool) -> Option<JsValue> {
    let early = get(&js_sys::global(), GLOBAL);
    let worker = get(&early, WORKER);
    let text = |name| get(&early, name).as_string().unwrap_or_default();
    let page = core.host.page.as_ref()?;
    let is_module = core.config.script_kind == ScriptKind::Module;
    let is_ours = page.resolve(&text("script")).ok()? == page.script
        && text("name") == name
        && (text("type") == "module") == is_module;
    if !is_ours || !(worker.is_undefined() || is_of_tier(&worker)) {
        return None;
    }
    // It is left where it can't be taken away from the next one.
    let is_taken = Reflect::set(&early, &WORKER.into(), &JsValue::NULL) == Ok(true);
    (is_taken && !worker.is_undefined()).then_some(worker)
}

/// Returns what the page has noted, if it notes that.
fn has_failed() -> Option<bool> {
    get(&get(&js_sys::global(), GLOBAL), "failed").as_bool()
}

const GLOBAL: &str = "onesocketWorker";
const WORKER: &str = "worker";
