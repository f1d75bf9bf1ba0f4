//! Doing what comes out of the engine.

use std::rc::Rc;

use bytes::Bytes;
use onesocket_engine::{Engine, Input, Output, PortId, SocketId, Time, describe};
use onesocket_protocol::{LinkKey, Payload, Sight, parcel::Enclosed};

use super::Inner;
use crate::{
    lock::TabWatch,
    port::{self, Inlet},
    socket::Socket,
};

impl Inner {
    /// Does everything that the engine wants done, then tells what was logged meanwhile. Nothing that is done may call into the
    /// engine; what must, goes to the inbox.
    pub(super) fn drain(self: &Rc<Self>, engine: &mut Engine, now: Time) {
        loop {
            let deadline = loop {
                match engine.poll_output() {
                    Output::Dial {
                        socket,
                        url,
                        subprotocols,
                        key,
                    } => self.dial(socket, &url, &subprotocols, &key),
                    Output::Transmit {
                        socket,
                        payload,
                        is_credential,
                    } => self.transmit(socket, &payload, is_credential),
                    Output::Close {
                        socket,
                        code,
                        reason,
                    } => self.close(socket, code, reason),
                    Output::Shut {
                        socket,
                        code,
                        reason,
                    } => self.shut(socket, code, &reason),
                    Output::Post {
                        port,
                        frame,
                        enclosed,
                        is_announcement,
                    } => self.post(port, frame, enclosed, is_announcement),
                    Output::WatchTab { port, lock } => self.watch(port, &lock),
                    Output::ClosePort(port) => self.close_port(port),
                    Output::Debug(seen) => self.on_debug(seen),
                    Output::Timeout(deadline) => break deadline,
                }
            };
            let entries = self.sink.take();
            if entries.is_empty() {
                let deadline = self.gather(engine, now, deadline);
                return self.alarm.set(deadline, self.clock, self);
            }
            for entry in entries {
                engine.log(entry);
            }
        }
    }

    /// Out of line, as is what else happens once in a while: browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn dial(self: &Rc<Self>, id: SocketId, url: &str, subprotocols: &[String], key: &LinkKey) {
        if self.is_stopped.get() {
            return;
        }
        if self.is_debugging() {
            self.see(describe::dial(id, key, subprotocols.len()));
        }
        match Socket::dial(url, subprotocols, Rc::downgrade(self), id) {
            Ok(socket) => {
                self.sockets.borrow_mut().push(id, socket);
            }
            Err(refusal) => self.input(Input::DialRefused {
                socket: id,
                refusal,
            }),
        }
    }

    fn transmit(&self, id: SocketId, payload: &Payload, is_credential: bool) {
        if self.is_debugging() {
            let seen = self.seen.get();
            self.see(describe::transmit(id, payload, is_credential, seen));
        }
        if let Some(socket) = self.sockets.borrow().get(id) {
            socket.send(payload);
        }
    }

    #[inline(never)]
    fn close(&self, id: SocketId, code: u16, reason: &'static str) {
        if self.is_debugging() {
            self.see(describe::close(id, code, reason));
        }
        let socket = self.sockets.borrow_mut().remove(id);
        if let Some(socket) = socket {
            socket.close(code, reason);
        }
    }

    #[inline(never)]
    fn shut(&self, id: SocketId, code: u16, reason: &str) {
        if self.is_debugging() {
            self.see(describe::close(id, code, reason));
        }
        if let Some(socket) = self.sockets.borrow().get(id) {
            socket.shut(code, reason);
        }
    }

    fn post(&self, port: PortId, frame: &[u8], enclosed: &[Enclosed], is_announcement: bool) {
        if self.is_debugging() {
            let frame = Bytes::from(port::assemble(frame, enclosed));
            describe::frame_out(port, &frame, &|entry| self.see(entry));
        }
        if let Some(port) = self.ports.borrow().get(port) {
            port.outlet.post(frame, enclosed);
            if is_announcement {
                port.outlet.witness(frame);
            }
        }
    }

    #[inline(never)]
    fn watch(self: &Rc<Self>, id: PortId, lock: &str) {
        let inlet = Inlet {
            host: Rc::downgrade(self),
            port: id,
        };
        if let Some(port) = self.ports.borrow_mut().get_mut(id) {
            port.watch = TabWatch::new(lock, move || inlet.close());
        }
    }

    fn close_port(&self, id: PortId) {
        // Dropped after the map is free again: a drop runs JS.
        let _port = self.ports.borrow_mut().remove(id);
    }

    /// Notes what the engine is about to learn, as far as the host has to know it too. Returns whether it may learn it: of an opening that has waited until
    /// its socket was closed it must not, as it would hand over what waits. The close comes behind it.
    pub(super) fn note(&self, now: Time, input: &Input) -> bool {
        if let Input::SocketOpened { socket, .. } = input
            && let Some(socket) = self.sockets.borrow_mut().get_mut(*socket)
        {
            socket.is_believed_open = socket.is_open();
            if !socket.is_believed_open {
                return false;
            }
        }
        if self.is_debugging() {
            self.see_input(now, input);
        }
        self.count_received(input);
        match input {
            Input::SocketClosed { socket, .. } => {
                let _socket = self.sockets.borrow_mut().remove(*socket);
            }
            // Its tab's lock is free. The goodbye, if there was one, is read no more.
            Input::PortClosed(port) => self.close_port(*port),
            _ => {}
        }
        true
    }

    pub(crate) fn is_debugging(&self) -> bool {
        self.seen.get() != Sight::Off
    }
}
