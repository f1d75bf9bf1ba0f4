//! Greetings: what is sent first on every new socket.

use onesocket_protocol::GreetingId;

use crate::client::Shared;
use std::{fmt, rc::Weak};

/// Keeps a greeting registered; see [`Client::greet`](crate::Client::greet). Dropping it drops the greeting, and sends the
/// farewell if no other tab holds the same.
#[must_use = "dropping the guard drops the greeting"]
pub struct GreetingGuard<Rx> {
    pub(crate) shared: Weak<Shared<Rx>>,
    pub(crate) id: Option<GreetingId>,
}

impl<Rx> GreetingGuard<Rx> {
    /// Keeps the greeting for as long as the client lives.
    pub fn keep(mut self) {
        self.id = None;
    }
}

impl<Rx> Drop for GreetingGuard<Rx> {
    fn drop(&mut self) {
        if let (Some(id), Some(shared)) = (self.id, self.shared.upgrade()) {
            shared.ungreet(id);
        }
    }
}

impl<Rx> fmt::Debug for GreetingGuard<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GreetingGuard")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
