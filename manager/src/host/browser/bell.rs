//! A task of the browser's event loop for whoever asks.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use web_sys::{MessageChannel, MessagePort};

use super::{answer_soon, js::Listener};
use crate::core::Core;

/// What is posted on a port of the page's own comes as a task, behind those that wait. A timer would be late in a hidden page, and 4 ms late in any that asks
/// often ([HTML](https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html#timers)).
pub(crate) struct Bell {
    sender: MessagePort,
    receiver: MessagePort,
    _listener: Listener,
}

impl Bell {
    /// `None` where no channel can be made.
    pub(crate) fn new(core: &Rc<Core>) -> Option<Self> {
        let channel = MessageChannel::new().ok()?;
        let (sender, receiver) = (channel.port1(), channel.port2());
        let core = Rc::downgrade(core);
        let listener = Listener::new(&receiver, "message", move |_| {
            if let Some(core) = core.upgrade() {
                core.on_turn();
                answer_soon(&core);
            }
        });
        // Listeners, unlike `onmessage`, do not start a port.
        receiver.start();
        Some(Self {
            sender,
            receiver,
            _listener: listener,
        })
    }

    /// Asks for a task; `false` when there will be none.
    pub(crate) fn ring(&self) -> bool {
        self.sender.post_message(&JsValue::NULL).is_ok()
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.sender.close();
        self.receiver.close();
    }
}
