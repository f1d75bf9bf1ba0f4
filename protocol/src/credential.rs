//! What a dial proves itself with, and when it has to.

use core::fmt;

use serde::Serialize;

use crate::{Millis, Payload};

/// How a connection proves whose it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Auth {
    /// The WebSocket close codes by which the server refuses a credential. They go before the fatal ones.
    pub codes: Vec<u16>,
    /// Whether the tabs are asked for a credential before each dial, one after the other, and how long each may take. Too
    /// short passes over a tab on a slow network, too long waits for one that is frozen.
    pub ask: Option<Millis>,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            // No number is registered. This one is what servers use for what HTTP calls 401.
            codes: vec![4401],
            ask: None,
        }
    }
}

/// What one dial proves itself with. It is a secret: no log and no `Debug` shows it.
#[derive(Clone, PartialEq, Eq, Default, Serialize)]
pub struct Credential {
    /// What is dialled in place of the connection's URL.
    pub url: Option<String>,
    /// What is offered in place of the connection's subprotocols, if any.
    pub subprotocols: Vec<String>,
    /// What is sent on the open socket before anything else.
    pub first: Option<Payload>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}
