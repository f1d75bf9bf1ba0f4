//! One client's use of a connection.

use core::fmt;
use std::rc::Rc;

use onesocket_engine::{Delivery, SendRejected};
use onesocket_protocol::{ChannelId, Credential, GreetingId, Millis, Payload, SendId};

use crate::{WorkerManager, core::Core};

/// One client's use of a connection, opened by [`WorkerManager::open`].
///
/// It lives in the page, whichever tier the socket is in, and survives the change from one tier to another. A drop closes it,
/// as [`close`](Self::close) does; its sink still hears what became of the sends that wait, and then
/// [`ChannelEvent::Closed`](crate::ChannelEvent::Closed).
pub struct Channel {
    id: ChannelId,
    manager: WorkerManager,
}

impl Channel {
    pub(crate) fn new(id: ChannelId, manager: WorkerManager) -> Self {
        Self { id, manager }
    }

    /// Returns its number, which is unique in this page.
    #[must_use]
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// Returns the manager that it belongs to.
    #[must_use]
    pub fn manager(&self) -> &WorkerManager {
        &self.manager
    }

    /// Sends a payload, at once or when the socket is open. Its number is named by the event that settles it.
    ///
    /// # Errors
    ///
    /// When it was not taken; nothing of it is kept then.
    pub fn send(&self, payload: Payload, delivery: Delivery) -> Result<SendId, SendRejected> {
        self.core()
            .with_session(|session| session.send(self.id, payload, delivery))
    }

    /// Says that the server has acknowledged a send: it ends as
    /// [`ChannelEvent::Acknowledged`](crate::ChannelEvent::Acknowledged), and is not sent again.
    pub fn acknowledge(&self, send: SendId) {
        self.core()
            .with_session(|session| session.acknowledge(self.id, send));
    }

    /// Returns how many bytes of its sends wait for their outcome, and [`socket_bytes`](Self::socket_bytes) on top.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.core().wiring.buffered_bytes(self.id)
    }

    /// Returns how many bytes of all tabs its socket holds that have not gone to the network, as last told by
    /// [`ChannelEvent::Buffered`](crate::ChannelEvent::Buffered).
    #[must_use]
    pub fn socket_bytes(&self) -> u32 {
        self.core().wiring.socket_bytes(self.id)
    }

    /// Returns how many greetings it has. A worker refuses more than [`MAX_GREETINGS`](onesocket_protocol::limits::MAX_GREETINGS).
    #[must_use]
    pub fn greetings(&self) -> usize {
        self.core().wiring.greetings(self.id)
    }

    /// Registers a payload that is sent first on every new socket, and at once when one is open. Identical ones of several
    /// channels are sent once; `farewell` is sent when the last of them is dropped. `None` when the channel is closed.
    pub fn greet(&self, payload: Payload, farewell: Option<Payload>) -> Option<GreetingId> {
        self.core()
            .with_session(|session| session.greet(self.id, payload, farewell))
    }

    /// Drops a greeting.
    pub fn ungreet(&self, greeting: GreetingId) {
        self.core()
            .with_session(|session| session.ungreet(self.id, greeting));
    }

    /// Asks for a fresh [`ChannelEvent::Status`](crate::ChannelEvent::Status).
    pub fn ask_status(&self) {
        self.core()
            .with_session(|session| session.ask_status(self.id));
    }

    /// Passes on a delay that the server has asked for: the next dial waits at least that long.
    pub fn delay(&self, delay: Millis) {
        self.core()
            .with_session(|session| session.delay(self.id, delay));
    }

    /// Asks for a new socket now: ends a wait, starts a stopped loop anew, replaces an open socket for all tabs. While the server
    /// wants to be left alone, the dial waits for that.
    pub fn reconnect(&self) {
        self.core()
            .with_session(|session| session.reconnect(self.id));
    }

    /// Answers a [`ChannelEvent::NeedCredential`](crate::ChannelEvent::NeedCredential); `None` when there is none.
    pub fn credential(&self, request: u32, credential: Option<Credential>) {
        self.core()
            .with_session(|session| session.credential(self.id, request, credential));
    }

    /// Ends the connection for all its tabs. What is queued may wait for an open socket for as long as `drain` says.
    pub fn log_out(&self, drain: Option<Millis>) {
        self.core()
            .with_session(|session| session.log_out(self.id, drain));
    }

    /// Closes the socket by a code and ends the connection for all its tabs. 1005 stands for no code.
    pub fn close_socket(&self, code: u16, reason: String) {
        self.core()
            .with_session(|session| session.close_socket(self.id, code, reason));
    }

    /// Closes it. A drop does the same.
    pub fn close(self) {
        drop(self);
    }

    fn core(&self) -> &Rc<Core> {
        self.manager.core()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.core().close(self.id);
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
