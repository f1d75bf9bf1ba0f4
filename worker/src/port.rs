//! The ends of ports that a host can hold, whatever they are made of.

#[cfg(feature = "local")]
pub mod local;
mod message_port;

use std::rc::Weak;

use bytes::Bytes;
use onesocket_engine::{Input, PortId};
use onesocket_protocol::parcel::{self, Enclosed};

use crate::host::Inner;

/// One end of a port, not yet in use. A `web_sys::MessagePort` and a `local::LocalEnd` are such ends.
pub trait PortEnd {
    /// Begins to receive: every buffer that arrives goes to the inlet. Returns the way out.
    fn open(self, inlet: Inlet) -> Box<dyn Outlet>;
}

/// The way from the host to a tab. A drop closes the port.
pub trait Outlet {
    /// Posts a buffer, with what belongs into it. A tab that is gone swallows it silently, as a `MessagePort` does.
    fn post(&self, frame: &[u8], enclosed: &[Enclosed]);

    /// Posts once more what was just posted and must be read even if the worker is terminated now, where what waits for the tab ends with it.
    /// Nothing to do where it does not, as on a `MessagePort`.
    fn witness(&self, _: &[u8]) {}
}

/// Copies a frame of the engine's and its parcels into one. The engine encloses nothing out of place, and makes no frame that is too long.
pub(crate) fn assemble(frame: &[u8], enclosed: &[Enclosed]) -> Vec<u8> {
    parcel::assemble(frame, enclosed).unwrap_or_default()
}

/// The way from one tab to the host. Inert when the host is gone or has stopped.
#[derive(Clone, Debug)]
pub struct Inlet {
    pub(crate) host: Weak<Inner>,
    pub(crate) port: PortId,
}

impl Inlet {
    /// Hands a buffer to the engine, whatever it holds.
    pub fn frame(&self, frame: Bytes) {
        #[cfg(feature = "faults")]
        if let Some(fault) = onesocket_protocol::Fault::decode(&frame) {
            return self
                .host
                .upgrade()
                .into_iter()
                .for_each(|host| host.suffer(fault));
        }
        self.input(Input::Frame {
            port: self.port,
            frame,
        });
    }

    /// Tells the engine that the tab is gone.
    pub fn close(&self) {
        self.input(Input::PortClosed(self.port));
    }

    fn input(&self, input: Input) {
        if let Some(host) = self.host.upgrade() {
            host.input(input);
        }
    }
}
