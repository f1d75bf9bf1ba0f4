//! What goes into the engine and what comes out of it.

use std::rc::Rc;

use bytes::Bytes;
use onesocket_protocol::{Epoch, LinkKey, Packed, Parcel, Payload, parcel::Enclosed};

/// A moment, in milliseconds since the engine started. It never leaves its context: each worker has its own clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    pub(crate) fn after(self, delay: onesocket_protocol::Millis) -> Self {
        Self(self.0.saturating_add(u64::from(delay.0)))
    }

    pub(crate) fn since(self, earlier: Self) -> onesocket_protocol::Millis {
        onesocket_protocol::Millis(
            u32::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(u32::MAX),
        )
    }
}

/// Names the port of a tab within the engine. The host chooses it and never uses it again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PortId(pub u32);

/// Names one WebSocket, that is one dial. Chosen by the engine, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SocketId(pub u32);

/// One of the pieces in which gathered messages come.
#[derive(Clone, Debug)]
pub enum Gathered {
    /// A message.
    One(Payload),
    /// Small binary messages.
    Packed(Packed),
    /// A binary message that the host has not copied.
    Parcel(Parcel),
}

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A port was handed to this worker. Nothing is posted to it before it says hello.
    PortOpened(PortId),
    /// A buffer has arrived on a port.
    Frame {
        /// The port.
        port: PortId,
        /// The buffer, whatever it holds.
        frame: Bytes,
    },
    /// A port's tab is gone: its Web Lock was granted, or the host dropped its end.
    PortClosed(PortId),
    /// A socket is open.
    SocketOpened {
        /// The socket.
        socket: SocketId,
        /// The subprotocol that the server chose; empty when none.
        subprotocol: String,
    },
    /// A message has been received.
    Received {
        /// The socket.
        socket: SocketId,
        /// The message.
        payload: Payload,
    },
    /// Messages have been received while nothing could be passed on ([`Engine::may_gather`](crate::Engine::may_gather)). They are one input, so that they are
    /// posted together. When they came is not known: what the machine has slept since may be among that time.
    Gathered {
        /// The socket.
        socket: SocketId,
        /// The messages, in order.
        gathered: Vec<Gathered>,
    },
    /// A binary message has been received that the host has not copied, for it to be posted as it is. It is read if the connection has to look at
    /// it; else its bytes come out again with [`Output::Post`].
    ReceivedParcel {
        /// The socket.
        socket: SocketId,
        /// The message.
        parcel: Parcel,
    },
    /// The socket's `readyState` is no longer `OPEN`, and its close event has not come yet: what is sent to it now would be
    /// lost silently.
    SocketClosing(SocketId),
    /// The socket's close event.
    SocketClosed {
        /// The socket.
        socket: SocketId,
        /// The close code.
        code: u16,
        /// The server's explanation.
        reason: String,
        /// Whether there was a closing handshake.
        was_clean: bool,
    },
    /// What the socket holds that has not gone to the network has changed. The host looks at each input, before it gives it to the engine.
    Buffered {
        /// The socket.
        socket: SocketId,
        /// How many bytes, rounded down to a multiple of [`BUFFERED_STEP_BYTES`](onesocket_protocol::limits::BUFFERED_STEP_BYTES).
        bytes: u32,
    },
    /// The WebSocket constructor threw.
    DialRefused {
        /// The socket.
        socket: SocketId,
        /// Why.
        refusal: DialRefusal,
    },
    /// The browser's `online` and `offline` events, where the worker gets them.
    Network {
        /// Whether the browser says that it is online.
        online: bool,
    },
    /// The machine has slept: the wall clock has gone on for so much longer than the clock of the inputs, which some systems
    /// stop meanwhile. What waits for a time has waited for that long, too. The sockets are looked at with the next frame or tick, and a
    /// tick is asked for at once: what they have to say before that is read, and is no proof that they live, as it may have come before the sleep.
    Slept(onesocket_protocol::Millis),
    /// Time has passed; due or not.
    Tick,
}

/// Why the WebSocket constructor threw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DialRefusal {
    /// `SyntaxError`, and the URL is at fault.
    InvalidUrl,
    /// `SyntaxError`, and the subprotocols are at fault.
    InvalidSubprotocol,
    /// `SecurityError`: an insecure URL from a secure page.
    Insecure,
}

/// Something to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// Open a WebSocket. Exactly one of `SocketOpened`, `SocketClosed` and `DialRefused` must follow.
    Dial {
        /// Its name.
        socket: SocketId,
        /// The URL. It may hold secrets.
        url: String,
        /// The subprotocols to offer.
        subprotocols: Vec<String>,
        /// Whose socket it is. A log shows the URL of the key: the other may be a credential's.
        key: Rc<LinkKey>,
    },
    /// Hand a payload to a socket. The host makes sure that the socket is still open *before* it gives the engine an input.
    Transmit {
        /// The socket.
        socket: SocketId,
        /// The payload.
        payload: Payload,
        /// Whether it is the first message of a credential, which no log may show.
        is_credential: bool,
    },
    /// Close a socket and forget it: inputs about it are no longer wanted.
    Close {
        /// The socket.
        socket: SocketId,
        /// The close code.
        code: u16,
        /// The explanation for the server.
        reason: &'static str,
    },
    /// Begin the closing handshake of an open socket. `SocketClosed` must follow.
    Shut {
        /// The socket.
        socket: SocketId,
        /// The close code. One that scripts may not send, such as 1005, stands for none.
        code: u16,
        /// The explanation for the server.
        reason: String,
    },
    /// Post a buffer to a port.
    Post {
        /// The port.
        port: PortId,
        /// The buffer.
        frame: &'a [u8],
        /// Parcels that belong into it, almost always none: the tab must get what [`assemble`](onesocket_protocol::parcel::assemble) would make of
        /// both. A parcel that nobody else has may be given away with its contents.
        enclosed: &'a [Enclosed],
        /// Whether the tab must read it even if the worker ends right after it: what is done next, the tab takes for undone without it.
        is_announcement: bool,
    },
    /// Ask for the Web Lock of this name, and close the port when it is granted: then its tab is gone.
    WatchTab {
        /// The port.
        port: PortId,
        /// The lock's name.
        lock: String,
    },
    /// Forget a port: its tab has said goodbye, or is gone.
    ClosePort(PortId),
    /// What the tabs want to see of the host has changed.
    Debug(onesocket_protocol::Sight),
    /// Nothing more to do until an input comes, or this moment. Ends the drain.
    Timeout(Option<Time>),
}

/// What the engine is made from.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Which run of the worker this is. Random.
    pub epoch: Epoch,
    /// Where the worker runs.
    pub scope: onesocket_protocol::WorkerScope,
    /// The seed of all jitter. Random.
    pub seed: u64,
    /// Whether the browser says that it is online.
    pub online: bool,
    /// What the debug log shows at first.
    pub debug: onesocket_protocol::DebugLevel,
}
