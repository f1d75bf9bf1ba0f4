//! An input that can wait in a queue.

use onesocket_engine::{Input, SocketId};

/// An engine's [`Input`] that owns what it holds.
#[derive(Debug)]
pub(crate) enum Event {
    /// [`Input::SocketOpened`].
    SocketOpened {
        socket: SocketId,
        subprotocol: String,
    },
    /// [`Input::SocketClosed`].
    SocketClosed {
        socket: SocketId,
        code: u16,
        reason: String,
        was_clean: bool,
    },
    /// One that borrows nothing.
    Plain(Input<'static>),
}

impl Event {
    pub(crate) fn with_input(self, handle: impl FnOnce(Input<'_>)) {
        match self {
            Self::SocketOpened {
                socket,
                subprotocol,
            } => {
                handle(Input::SocketOpened {
                    socket,
                    subprotocol: &subprotocol,
                });
            }
            Self::SocketClosed {
                socket,
                code,
                reason,
                was_clean,
            } => {
                handle(Input::SocketClosed {
                    socket,
                    code,
                    reason: &reason,
                    was_clean,
                });
            }
            Self::Plain(input) => handle(input),
        }
    }
}
