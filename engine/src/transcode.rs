//! What the code of an app's own worker makes of the server's messages, before they go to the tabs.

use core::fmt;
use std::rc::Rc;

use onesocket_protocol::{LinkKey, Payload, limits};

/// Turns a message of the server into another form of the same message: JSON into something that a page reads more quickly, say.
///
/// It must not panic, and should say the same of equal arguments; what it returns `None` for, the tabs get as the server has sent it.
#[derive(Clone)]
pub struct Transcode(Rc<Function>);

type Function = dyn Fn(&LinkKey, &Payload) -> Option<Payload>;

impl Transcode {
    /// Makes one of a function, which is told on which connection the message has come.
    pub fn new(transcode: impl Fn(&LinkKey, &Payload) -> Option<Payload> + 'static) -> Self {
        Self(Rc::new(transcode))
    }

    /// Returns what the tabs get. What would be too large for them stays as it is.
    pub(crate) fn apply(&self, key: &LinkKey, payload: &Payload) -> Payload {
        let transcoded = (self.0)(key, payload);
        let fitting = transcoded.filter(|payload| payload.len() <= limits::MAX_PAYLOAD_BYTES);
        fitting.unwrap_or_else(|| payload.clone())
    }
}

impl fmt::Debug for Transcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transcode(..)")
    }
}
