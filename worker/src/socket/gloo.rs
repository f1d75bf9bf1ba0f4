//! Receives by gloo-net's stream: a task for each socket.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, ready},
};

use futures::{Sink as _, Stream as _, future::poll_fn};
use gloo_net::websocket::{Message, State, WebSocketError, futures::WebSocket};
use onesocket_engine::{DialRefusal, Input, SocketId};
use onesocket_protocol::Payload;
use wasm_bindgen_futures::spawn_local;

use crate::host::Inner;

/// Hands everything that a socket receives to the host, until it is dropped.
pub(super) struct Receiving(Rc<RefCell<Option<WebSocket>>>);

impl Receiving {
    /// Begins to listen.
    pub(super) fn start(
        socket: &web_sys::WebSocket,
        host: Weak<Inner>,
        id: SocketId,
    ) -> Result<Self, DialRefusal> {
        // It throws only for a listener that is no function.
        let socket = WebSocket::try_from(socket.clone()).map_err(|_| DialRefusal::InvalidUrl)?;
        let receiving = Rc::new(RefCell::new(Some(socket)));
        spawn_local(Inlet::new(host, id).receive(Rc::clone(&receiving)));
        Ok(Self(receiving))
    }

    /// Its stream hands over one message at a time.
    #[expect(clippy::unused_self, reason = "the other way of receiving needs it")]
    pub(super) fn gather(&self, _: bool) -> bool {
        false
    }

    #[expect(clippy::unused_self, reason = "the other way of receiving needs it")]
    pub(super) fn take_gathered(&self, _: SocketId, _: impl FnMut(Input)) {}
}

impl Drop for Receiving {
    fn drop(&mut self) {
        // Dropped outside of the borrow: gloo-net closes the socket and dispatches a made-up close event in its drop, which
        // wakes the task.
        let _receiving = self.0.take();
    }
}

/// The way from one socket to the host. Inert when the host is gone or has stopped.
struct Inlet {
    host: Weak<Inner>,
    socket: SocketId,
    phase: Phase,
}

/// How far the engine has been told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Open,
    /// It was closing before anybody could see it open: its messages would come before its opening.
    Missed,
}

impl Inlet {
    fn new(host: Weak<Inner>, socket: SocketId) -> Self {
        Self {
            host,
            socket,
            phase: Phase::Opening,
        }
    }

    /// Hands everything to the host until the socket is closed or `receiving` is emptied.
    async fn receive(mut self, receiving: Rc<RefCell<Option<WebSocket>>>) {
        loop {
            let input = poll_fn(|ctx| match receiving.borrow_mut().as_mut() {
                Some(socket) => self.poll_input(Pin::new(socket), ctx).map(Some),
                None => Poll::Ready(None),
            });
            // The borrow has ended: the host may close the socket from within this input.
            let Some(input) = input.await else { return };
            let Some(host) = self.host.upgrade() else {
                return;
            };
            let is_last = matches!(input, Input::SocketClosed { .. });
            host.input(input);
            if is_last {
                return;
            }
        }
    }

    fn poll_input(
        &mut self,
        mut socket: Pin<&mut WebSocket>,
        ctx: &mut Context<'_>,
    ) -> Poll<Input> {
        // gloo-net has no event for the opening: the sink is ready when the socket has left the state CONNECTING.
        if self.phase == Phase::Opening && socket.as_mut().poll_ready(ctx).is_ready() {
            if let State::Open = socket.state() {
                self.phase = Phase::Open;
                return Poll::Ready(Input::SocketOpened {
                    socket: self.socket,
                    subprotocol: socket.protocol(),
                });
            }
            self.phase = Phase::Missed;
        }
        loop {
            match ready!(socket.as_mut().poll_next(ctx)) {
                Some(Ok(message)) if self.phase == Phase::Open => {
                    return Poll::Ready(self.received(message));
                }
                Some(Err(WebSocketError::ConnectionClose(close))) => {
                    return Poll::Ready(self.closed(close.code, close.reason, close.was_clean));
                }
                // Behind a dial that the browser forbids no close event follows: by the page's policy in Chromium, for its port in WebKit.
                Some(Err(_)) if self.phase != Phase::Open => {
                    return Poll::Ready(self.closed(1006, String::new(), false));
                }
                // Else one follows every error event, and says more.
                Some(_) => {}
                // Unreachable while gloo-net keeps its sender in the close listener; the engine is owed an end all the same.
                None => return Poll::Ready(self.closed(1006, String::new(), false)),
            }
        }
    }

    fn received(&self, message: Message) -> Input {
        let payload = match message {
            Message::Text(text) => Payload::text(text),
            Message::Bytes(bytes) => Payload::binary(bytes),
        };
        Input::Received {
            socket: self.socket,
            payload,
        }
    }

    fn closed(&self, code: u16, reason: String, was_clean: bool) -> Input {
        Input::SocketClosed {
            socket: self.socket,
            code,
            reason,
            was_clean,
        }
    }
}
