//! What `js/prelude.js` has put into the global object, if it is there.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

use crate::environment::Global;

#[wasm_bindgen]
extern "C" {
    /// `self.onesocket`.
    pub(crate) type Prelude;

    #[wasm_bindgen(method, getter, js_name = serve)]
    fn has_serve(this: &Prelude) -> JsValue;

    #[wasm_bindgen(method)]
    pub(super) fn serve(this: &Prelude, accept: &Function);

    #[wasm_bindgen(method)]
    pub(super) fn fail(this: &Prelude, reason: &str);

    #[wasm_bindgen(method, js_name = forget)]
    fn forget_port(this: &Prelude, port: &MessagePort);

    #[wasm_bindgen(method, getter, js_name = gather)]
    fn has_gather(this: &Prelude) -> JsValue;

    #[wasm_bindgen(method, js_name = gather)]
    fn gather_below(this: &Prelude, large: u32) -> Gathered;

    /// What a socket has received while the engine had no use for it.
    pub(crate) type Gathered;

    /// What keeps it.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn onmessage(this: &Gathered) -> Function;

    /// Takes a text, a large `ArrayBuffer`, or a `Uint8Array` of small ones, which is valid until the next call: each behind its length. `undefined` at
    /// the end.
    #[wasm_bindgen(method)]
    pub(crate) fn next(this: &Gathered) -> JsValue;

    /// The page's way to its own worker, which stands for a port.
    pub(crate) type Witnessed;

    /// A port beside it, which outlives the worker. No other port has one.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn witness(this: &Witnessed) -> Option<MessagePort>;

    #[wasm_bindgen(js_namespace = self, js_name = close)]
    pub(crate) fn close_worker();
}

impl Prelude {
    /// Returns it, unless this worker was started without one, or this is the page.
    pub(super) fn find() -> Option<Self> {
        // An app may have a global of that name of its own.
        Global::onesocket().filter(|prelude| prelude.has_serve().is_function())
    }
}

/// Returns what keeps a socket's messages, of which those from `large` bytes on are left as they are. `None` without a prelude, or with one that is
/// older than this.
#[cfg(not(feature = "gloo-net"))]
pub(crate) fn gather(large: u32) -> Option<Gathered> {
    let prelude = Prelude::find()?;
    let has_it = prelude.has_gather().is_function();
    has_it.then(|| prelude.gather_below(large))
}

/// Lets go of a port whose tab is gone.
pub(crate) fn forget(port: &MessagePort) {
    if let Some(prelude) = Prelude::find() {
        prelude.forget_port(port);
    }
}
