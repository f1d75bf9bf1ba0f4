//! A SharedWorker that the page has started before its wasm was there.
//!
//! A script in the head leaves it in `onesocketWorker` of the global object, with the script and the options it was made of. It is taken over when those are
//! the ones that this manager would make one of. Its port is there then, so that nobody waits for the browser.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::SharedWorker;

use super::{js::get, succession};
use crate::{ScriptKind, core::Core};

/// Takes it, once.
pub(super) fn take(core: &Core) -> Option<SharedWorker> {
    let early = get(&js_sys::global(), GLOBAL);
    let worker = get(&early, WORKER).dyn_into::<SharedWorker>().ok()?;
    let text = |name| get(&early, name).as_string().unwrap_or_default();
    let page = core.host.page.as_ref()?;
    let is_module = core.config.script_kind == ScriptKind::Module;
    let is_ours = page.resolve(&text("script")).ok()? == page.script
        && text("name") == succession::worker_name(core)
        && (text("type") == "module") == is_module;
    // It is left where it can't be taken away from the next one.
    let is_taken = is_ours && Reflect::set(&early, &WORKER.into(), &JsValue::NULL) == Ok(true);
    is_taken.then_some(worker)
}

const GLOBAL: &str = "onesocketWorker";
const WORKER: &str = "worker";
