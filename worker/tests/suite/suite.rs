//! What must hold wherever the host runs.

mod dial;
mod host;
mod local;
mod parcel;
mod prelude;

use futures::{StreamExt as _, channel::mpsc};
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageEvent, MessagePort};

/// The tab's end of a `MessageChannel`.
struct Tab {
    port: MessagePort,
    received: mpsc::UnboundedReceiver<JsValue>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
}

impl Tab {
    fn new(port: MessagePort) -> Self {
        let (sender, received) = mpsc::unbounded();
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            sender.unbounded_send(event.data()).unwrap();
        });
        port.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Self {
            port,
            received,
            _on_message: on_message,
        }
    }

    fn post(&self, frame: &[u8]) {
        self.port
            .post_message(&Uint8Array::from(frame).buffer())
            .unwrap();
    }

    async fn frame(&mut self) -> Vec<u8> {
        let data = self.received.next().await.unwrap();
        Uint8Array::new(&data.dyn_into::<ArrayBuffer>().unwrap()).to_vec()
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // Firefox still delivers what was posted before the port was closed.
        self.port.set_onmessage(None);
        self.port.close();
    }
}

/// Lets everything run that is due already.
async fn turn() {
    let promise = Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, 0);
    });
    JsFuture::from(promise).await.unwrap();
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &js_sys::Function, millis: i32) -> JsValue;
}
