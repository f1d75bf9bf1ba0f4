//! Where the tabs without a SharedWorker find the dedicated worker of the one that leads.
//!
//! A `BroadcastChannel` carries neither ports nor transfers ([whatwg/html#7088](https://github.com/whatwg/html/issues/7088)), and
//! keeps nothing for who listens later. So each tab meets the worker on a channel of its own, where frames are copied, and says
//! nothing there before it is told that somebody listens. What is said in the hall is in `PROTOCOL.md`; the worker's half is
//! in its prelude.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use super::js::{self, Listener};

/// A drop leaves it.
pub(super) struct Hall {
    name: String,
    channel: BroadcastChannel,
    _listener: Listener,
}

impl Hall {
    /// Calls `on_leader` with the id of every worker that says it is the leader's.
    pub(super) fn enter(name: &str, on_leader: impl Fn(&str) + 'static) -> Result<Self, JsValue> {
        let channel = BroadcastChannel::new(name)?;
        let listener = Listener::new(&channel, "message", move |event| {
            let said = event.unchecked_into::<MessageEvent>().data().as_string();
            if let Some(leader) = said.as_deref().and_then(|said| said.strip_prefix('!')) {
                on_leader(leader);
            }
        });
        Ok(Self {
            name: name.to_owned(),
            channel,
            _listener: listener,
        })
    }

    pub(super) fn ask_who_leads(&self) {
        self.say("?");
    }

    /// Asks a worker to a channel of their own. Who else of this origin listens in the hall hears its name, too. It is never used again: what is on its way to an earlier one must not come out here.
    pub(super) fn meet(
        &self,
        leader: &str,
        on_listened_to: impl Fn() + 'static,
        on_data: impl Fn(JsValue) + 'static,
    ) -> Result<Meeting, JsValue> {
        let topic = format!("{leader} {:016x}", js::random_u64());
        let channel = BroadcastChannel::new(&format!("{} {topic}", self.name))?;
        let on_data = std::rc::Rc::new(on_data);
        let on_unreadable = std::rc::Rc::clone(&on_data);
        let listeners = [
            Listener::new(&channel, "message", move |event| {
                let data = event.unchecked_into::<MessageEvent>().data();
                if data.is_string() {
                    on_listened_to();
                } else {
                    on_data(data);
                }
            }),
            // What the browser can't deserialize is a foreign frame too.
            Listener::new(&channel, "messageerror", move |_| {
                on_unreadable(JsValue::NULL)
            }),
        ];
        self.say(&topic);
        Ok(Meeting {
            channel,
            _listeners: listeners,
        })
    }

    fn say(&self, text: &str) {
        // It throws for what can't be cloned, and once it is closed.
        let _ = self.channel.post_message(&text.into());
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        self.channel.close();
    }
}

/// The channel on which this tab meets the leader's worker. A drop closes it.
pub(super) struct Meeting {
    channel: BroadcastChannel,
    _listeners: [Listener; 2],
}

impl Meeting {
    pub(super) fn post(&self, buffer: &JsValue) {
        let posted = self.channel.post_message(buffer);
        debug_assert!(posted.is_ok(), "a buffer can be cloned");
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        self.channel.close();
    }
}
