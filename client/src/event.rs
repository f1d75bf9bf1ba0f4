//! What a client hears, as a stream.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::Stream;
use onesocket_protocol::{ReconnectCause, Status, StopReason};

use crate::ClientError;

/// Something that a client hears.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<Rx> {
    /// The server has sent a message.
    Message(Rx),
    /// The server had sent this message before this client joined the connection; see
    /// [`replay`](crate::ClientBuilder::replay).
    Replayed(Rx),
    /// The socket is open and the greetings are sent.
    Connected {
        /// The subprotocol that the server chose; empty when none.
        subprotocol: String,
    },
    /// There is no socket, and the loop will dial again.
    Reconnecting {
        /// Which dial in a row after the lost or failed one comes, from 1.
        attempt: u32,
        /// How long until then; `None` while the browser is offline.
        delay: Option<Duration>,
        /// Why there is no socket.
        cause: ReconnectCause,
    },
    /// The loop has ended. [`Client::reconnect`](crate::Client::reconnect) starts it anew.
    Disconnected {
        /// Why.
        reason: StopReason,
    },
    /// Nothing is dialled before a tab has a credential: all have declined, were too slow, or had only refused ones. A tab that
    /// joins ends it, and so does [`Client::reconnect`](crate::Client::reconnect), after a log-in for instance.
    NeedsAuth {
        /// Whether the server has refused the last one.
        refused: bool,
    },
    /// How the connection is doing, after every change.
    Status(Status),
    /// Messages were dropped, here: the page, or the reader of this stream, did not keep up.
    Lagged {
        /// How many.
        missed: u64,
    },
    /// A newer build of the app is out: another tab runs it, or the worker does. The connection lives on, and goes on working.
    ///
    /// It comes once for each build that is newer than the last one told, in every tier in which tabs share a worker. Offer a reload, or
    /// reload when nothing can be lost by it; a page that reloads by itself should remember for which build it did, so that
    /// an old page from a cache does not reload for ever.
    UpdateAvailable {
        /// The newest [build number](onesocket_manager::ManagerConfig::build) that was met; above this tab's own. `None` when
        /// it is known only that somebody speaks a newer protocol.
        build: Option<u64>,
    },
    /// Something went wrong; the connection lives on.
    Error(ClientError),
}

impl<Rx> Event<Rx> {
    /// Returns the same event with another message in it; what is no message stays as it is.
    pub fn map<T>(self, map: impl FnOnce(Rx) -> T) -> Event<T> {
        match self {
            Self::Message(message) => Event::Message(map(message)),
            Self::Replayed(message) => Event::Replayed(map(message)),
            Self::Connected { subprotocol } => Event::Connected { subprotocol },
            Self::Reconnecting {
                attempt,
                delay,
                cause,
            } => Event::Reconnecting {
                attempt,
                delay,
                cause,
            },
            Self::Disconnected { reason } => Event::Disconnected { reason },
            Self::NeedsAuth { refused } => Event::NeedsAuth { refused },
            Self::Status(status) => Event::Status(status),
            Self::Lagged { missed } => Event::Lagged { missed },
            Self::UpdateAvailable { build } => Event::UpdateAvailable { build },
            Self::Error(error) => Event::Error(error),
        }
    }
}

/// What a client hears, from the moment on at which [`Client::events`](crate::Client::events) was called; the first call gets
/// what was heard before it too.
///
/// It ends when the client is closed. At most 65,536 messages wait in it for their reader: beyond that they are dropped and
/// counted in an [`Event::Lagged`].
pub struct Events<Rx> {
    inbox: Rc<RefCell<Inbox<Rx>>>,
}

impl<Rx> Stream for Events<Rx> {
    type Item = Event<Rx>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut inbox = self.inbox.borrow_mut();
        if let Some(event) = inbox.take() {
            return Poll::Ready(Some(event));
        }
        if inbox.closed {
            return Poll::Ready(None);
        }
        match &mut inbox.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl<Rx> fmt::Debug for Events<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("waiting", &self.inbox.borrow().events.len())
            .finish()
    }
}

impl<Rx> Events<Rx> {
    pub(crate) fn new(inbox: Rc<RefCell<Inbox<Rx>>>) -> Self {
        Self { inbox }
    }
}

/// What waits for the reader of one stream.
pub(crate) struct Inbox<Rx> {
    events: VecDeque<Event<Rx>>,
    missed: u64,
    closed: bool,
    waker: Option<Waker>,
}

impl<Rx> Default for Inbox<Rx> {
    fn default() -> Self {
        Self {
            events: VecDeque::new(),
            missed: 0,
            closed: false,
            waker: None,
        }
    }
}

impl<Rx> Inbox<Rx> {
    fn take(&mut self) -> Option<Event<Rx>> {
        let event = self.events.pop_front();
        if event.is_none() && self.missed > 0 {
            return Some(Event::Lagged {
                missed: core::mem::take(&mut self.missed),
            });
        }
        event
    }

    /// Whether a message must be dropped and counted. Once one is, all are until the reader has caught up, so that the hole
    /// is in one place.
    pub(crate) fn must_drop(&mut self) -> bool {
        let full = self.missed > 0 || self.events.len() >= MAX_WAITING;
        self.missed += u64::from(full);
        full
    }

    /// Appends an event; returns who is to be woken, once no borrow is held any more.
    #[must_use]
    pub(crate) fn push(&mut self, event: Event<Rx>) -> Option<Waker> {
        self.events.push_back(event);
        self.waker.take()
    }

    #[must_use]
    pub(crate) fn close(&mut self) -> Option<Waker> {
        self.closed = true;
        self.waker.take()
    }
}

/// Messages that wait for a reader. Enough for a page that is busy for seconds in a flood; a reader that has stopped for good
/// must not take the page's memory.
const MAX_WAITING: usize = 65_536;
