//! Asks the browser what it offers. Any getter may throw: sandboxed iframes and hardened browsers do.

use core::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::js::get;
use crate::{Capabilities, StoragePartition};

pub(crate) fn detect() -> Capabilities {
    let global: JsValue = js_sys::global().into();
    let navigator = get(&global, "navigator");
    let in_iframe = is_in_iframe(&global);
    Capabilities {
        shared_worker: get(&global, "SharedWorker").is_function(),
        worker: get(&global, "Worker").is_function(),
        module_workers: knows_worker_type(&global),
        web_locks: get(&navigator, "locks").is_object(),
        broadcast_channel: get(&global, "BroadcastChannel").is_function(),
        secure_context: get(&global, "isSecureContext").is_truthy(),
        in_iframe,
        storage: storage(&global, in_iframe),
        online: get(&navigator, "onLine").as_bool().unwrap_or(true),
    }
}

/// Comparing two windows is allowed across origins; looking into them is not.
fn is_in_iframe(global: &JsValue) -> bool {
    let top = get(global, "top");
    !top.is_undefined() && !Object::is(&top, &get(global, "self"))
}

fn storage(global: &JsValue, in_iframe: bool) -> StoragePartition {
    let location = get(global, "location");
    let around = get(&location, "ancestorOrigins");
    let around: Option<Vec<String>> = around.is_object().then(|| {
        Array::from(&around)
            .iter()
            .filter_map(|origin| origin.as_string())
            .collect()
    });
    // The origin of the context, which is `null` in a sandbox, and not that of its URL.
    let own = get(global, "origin").as_string().unwrap_or_default();
    StoragePartition::judge(in_iframe, &own, around.as_deref())
}

/// A browser that knows the option reads it before it does anything else; the getter then throws, so that no worker is made.
fn knows_worker_type(global: &JsValue) -> bool {
    let Ok(constructor) = get(global, "Worker").dyn_into::<Function>() else {
        return false;
    };
    let options = Object::new();
    let asked = Rc::new(Cell::new(false));
    let note = Rc::clone(&asked);
    let getter = Closure::<dyn FnMut() -> Result<JsValue, JsValue>>::new(move || {
        note.set(true);
        Err(JsValue::NULL)
    });
    let descriptor = Object::new();
    let is_set = Reflect::set(&descriptor, &"get".into(), getter.as_ref());
    if is_set.is_err() || Reflect::define_property(&options, &"type".into(), &descriptor).is_err() {
        return false;
    }
    let arguments = Array::of2(&"onesocket-does-not-exist.js".into(), &options);
    // An old browser does not read the option and would make a worker of the URL.
    if let Ok(worker) = Reflect::construct(&constructor, &arguments) {
        worker.unchecked_into::<web_sys::Worker>().terminate();
    }
    asked.get()
}
