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
    pub(crate) fn find() -> Option<Self> {
        // An app may have a global of that name of its own.
        Global::onesocket().filter(|prelude| prelude.has_serve().is_function())
    }
}

/// Lets go of a port whose tab is gone.
pub(crate) fn forget(port: &MessagePort) {
    if let Some(prelude) = Prelude::find() {
        prelude.forget_port(port);
    }
}
