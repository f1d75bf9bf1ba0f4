//! A worker that the page has started before its wasm was there.
//!
//! A script in the head leaves it in `onesocketWorker` of the global object, with the script and the options it was made of. It is taken over when those are
//! the ones that this manager would make one of. A SharedWorker's port is there then, so that nobody waits for the browser.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventTarget, SharedWorker, Worker};

use super::{js::get, succession};
use crate::{ScriptKind, Tier, core::Core};

/// Takes it, once, if it is of this tier.
pub(super) fn take(core: &Core, tier: Tier) -> Option<EventTarget> {
    let early = get(&js_sys::global(), GLOBAL);
    let worker = get(&early, WORKER);
    let (is_of_tier, name) = match tier {
        Tier::Shared => (
            worker.is_instance_of::<SharedWorker>(),
            succession::worker_name(core),
        ),
        Tier::Dedicated => (worker.is_instance_of::<Worker>(), core.config.name.clone()),
        Tier::Main => return None,
    };
    let text = |name| get(&early, name).as_string().unwrap_or_default();
    let page = core.host.page.as_ref()?;
    let is_module = core.config.script_kind == ScriptKind::Module;
    let is_ours = is_of_tier
        && page.resolve(&text("script")).ok()? == page.script
        && text("name") == name
        && (text("type") == "module") == is_module;
    // It is left where it can't be taken away from the next one.
    let is_taken = is_ours && Reflect::set(&early, &WORKER.into(), &JsValue::NULL) == Ok(true);
    is_taken.then(|| worker.unchecked_into())
}

/// Ends a dedicated one: this tab is with another tab's.
pub(super) fn end(core: &Core) {
    if let Some(worker) = take(core, Tier::Dedicated) {
        worker.unchecked_ref::<Worker>().terminate();
    }
}

const GLOBAL: &str = "onesocketWorker";
const WORKER: &str = "worker";
