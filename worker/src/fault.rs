//! What a worker of a test build suffers when it is asked to.

use std::rc::Rc;

use onesocket_engine::Time;
use onesocket_protocol::Fault;
use wasm_bindgen::JsCast;
use web_sys::{DedicatedWorkerGlobalScope, SharedWorkerGlobalScope};

use crate::host::Inner;

impl Inner {
    pub(crate) fn suffer(self: &Rc<Self>, fault: Fault) {
        match fault {
            Fault::End => self.end(),
            Fault::Trap => core::arch::wasm32::unreachable(),
            Fault::Panic => panic!("a panic was asked for"),
            Fault::Hang(millis) => {
                let start = self.now();
                let end = Time(start.0 + u64::from(millis.0));
                while self.now() < end {}
            }
            Fault::Mute => self.mute(),
            Fault::DropSockets => self.lose_sockets(),
            _ => {}
        }
    }

    fn end(&self) {
        let global = js_sys::global();
        if let Some(worker) = global.dyn_ref::<SharedWorkerGlobalScope>() {
            worker.close();
        } else if let Some(worker) = global.dyn_ref::<DedicatedWorkerGlobalScope>() {
            worker.close();
        } else {
            self.stop();
        }
    }
}
