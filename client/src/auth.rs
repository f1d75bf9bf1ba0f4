//! Credentials: how an app proves, for each dial, whose connection it is.

use std::{cell::Cell, fmt, rc::Rc, time::Duration};

use futures::future::LocalBoxFuture;
use onesocket_protocol::{self as protocol, ChannelId, Encode, LinkKey, Payload, Status, ToWorker};

use crate::{BuildError, builder::check_key, client::Shared, page};

/// What a dial proves itself with; see [`ClientBuilder::auth`](crate::ClientBuilder::auth).
///
/// No log and no `Debug` shows what is in it.
///
/// ```
/// use onesocket::{Credential, Payload};
///
/// // wss://example.org/feed?token=a%2Fb
/// let in_the_url = Credential::query("token", "a/b");
/// // What a server hands out whole, signed and for one use.
/// let instead_of_it = Credential::url("wss://node-7.example.org/feed?signature=abc");
/// // For servers that read `Sec-WebSocket-Protocol`, the only header that a page may fill.
/// let in_the_handshake = Credential::subprotocol("bearer.abc");
/// // In front of the greetings.
/// let in_a_message = Credential::first_message(Payload::text(r#"{"token":"abc"}"#));
/// assert_eq!(format!("{in_the_url:?}"), "Credential(..)");
/// # drop((instead_of_it, in_the_handshake, in_a_message));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(Part);

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Query { name: String, value: String },
    Url(String),
    Subprotocol(String),
    First(Payload),
}

impl Credential {
    /// A parameter that is added to the URL's query; both are percent-encoded. URLs end up in the logs of servers and proxies:
    /// let it be short-lived.
    #[must_use]
    pub fn query(name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        Self(Part::Query { name, value })
    }

    /// Another URL in place of the builder's, as services give out that sign URLs or spread their clients. The builder's stays what tabs
    /// share a connection by, and what events and the log show. Resolved like the builder's; one that can't be dialled ends as an
    /// [`Event::Error`](crate::Event::Error), and another tab is asked.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        Self(Part::Url(url.into()))
    }

    /// A subprotocol that is offered behind those of the builder. A token of RFC 9110: letters, digits and
    /// ``!#$%&'*+-.^_`|~``. When the server chooses it, events and status do not show it.
    ///
    /// The server has to select one of those that are offered, else Chromium fails the handshake. Offer a plain one by
    /// [`subprotocol`](crate::ClientBuilder::subprotocol), too, and let it select that: a token that is selected is echoed in the answer.
    #[must_use]
    pub fn subprotocol(subprotocol: impl Into<String>) -> Self {
        Self(Part::Subprotocol(subprotocol.into()))
    }

    /// A message that is sent first on the open socket, before greetings and what was queued. At most 1 MiB. What is sent behind
    /// it counts as sent, also when the server then refuses the credential.
    #[must_use]
    pub fn first_message(payload: Payload) -> Self {
        Self(Part::First(payload))
    }

    fn into_wire(self, key: &LinkKey) -> Result<protocol::Credential, BuildError> {
        let mut wire = protocol::Credential::default();
        match self.0 {
            Part::Query { name, value } => {
                let sign = if key.url.contains('?') { '&' } else { '?' };
                let (name, value) = (percent_encode(&name), percent_encode(&value));
                wire.url = Some(format!("{}{sign}{name}={value}", key.url));
            }
            Part::Url(url) => wire.url = Some(page::resolve_url(&url)?),
            Part::Subprotocol(subprotocol) => {
                let mut key = key.clone();
                key.subprotocols.push(subprotocol);
                check_key(&key)?;
                wire.subprotocols = key.subprotocols;
            }
            Part::First(payload) => wire.first = Some(payload),
        }
        let message = ToWorker::Credential {
            channel: ChannelId(0),
            request: 0,
            credential: Some(wire.clone()),
        };
        message.check().map_err(BuildError::OverCap)?;
        Ok(wire)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// What a credential is asked for with.
///
/// ```
/// use futures::FutureExt;
/// use onesocket::{Credential, CredentialRequest};
///
/// async fn provide(request: CredentialRequest) -> Option<Credential> {
///     (!request.refused).then(|| Credential::query("token", "abc"))
/// }
///
/// // In a test of the app, as when the server has refused the token.
/// let request = CredentialRequest::default().refused(true);
/// assert_eq!(provide(request).now_or_never(), Some(None));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct CredentialRequest {
    /// Whether the server has refused the last one: a cached one will not do.
    pub refused: bool,
    /// How many dials in a row have not opened a socket, of those since this client is there. A server that refuses the handshake itself, by 401 or 403,
    /// can't be told from one that is out of reach, and says by nothing else that a cached credential is over.
    pub failed: u32,
}

impl CredentialRequest {
    /// Sets whether the server has refused the last one.
    #[must_use]
    pub fn refused(mut self, refused: bool) -> Self {
        self.refused = refused;
        self
    }

    /// Sets how many dials in a row have not opened a socket.
    #[must_use]
    pub fn failed(mut self, failed: u32) -> Self {
        self.failed = failed;
        self
    }
}

/// What the statuses of a connection tell of its dials.
#[derive(Default, Debug)]
pub(crate) struct Dials {
    /// How many there were when a socket was last open, or when this client heard of them first.
    before: Cell<Option<u32>>,
    all: Cell<u32>,
}

impl Dials {
    pub(crate) fn learn(&self, status: &Status) {
        self.all.set(status.dials);
        let before = match self.before.get() {
            // Another worker counts anew.
            Some(before) if !status.state.is_connected() => before.min(status.dials),
            _ => status.dials,
        };
        self.before.set(Some(before));
    }

    /// Returns how many in a row have not opened a socket. None is under way while a credential is asked for.
    fn failed(&self) -> u32 {
        let before = self.before.get().unwrap_or_default();
        self.all.get().saturating_sub(before)
    }
}

/// What becomes of what is queued at a [`Client::log_out`](crate::Client::log_out).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogOut {
    /// It is not sent.
    Drop,
    /// It may wait for an open socket for so long, and is not sent after that.
    Drain(Duration),
}

impl LogOut {
    pub(crate) fn patience(self) -> Option<protocol::Millis> {
        match self {
            Self::Drop => None,
            Self::Drain(patience) => Some(patience.into()),
        }
    }
}

pub(crate) type Provide = dyn Fn(CredentialRequest) -> LocalBoxFuture<'static, Option<Credential>>;

/// The app's provider, and for what it provides.
pub(crate) struct Authenticator {
    pub(crate) provide: Rc<Provide>,
    pub(crate) key: LinkKey,
    pub(crate) dials: Dials,
}

impl Authenticator {
    /// Asks the app, and passes its answer on. No answer is none in time: the worker then asks another tab.
    pub(crate) fn answer<Rx: 'static>(&self, shared: &Rc<Shared<Rx>>, number: u32, refused: bool) {
        let failed = self.dials.failed();
        let provided = (self.provide)(CredentialRequest { refused, failed });
        let (key, shared) = (self.key.clone(), Rc::downgrade(shared));
        page::spawn(async move {
            let credential = provided.await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            match credential.map(|it| it.into_wire(&key)).transpose() {
                Ok(wire) => shared.answer(number, wire),
                Err(error) => {
                    shared.answer(number, None);
                    shared.complain(&error);
                }
            }
        });
    }
}

/// Encodes all but what RFC 3986, section 2.3, calls unreserved.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use onesocket_protocol::{LinkState, Millis};

    use super::*;

    fn key(url: &str) -> LinkKey {
        LinkKey {
            url: url.to_owned(),
            subprotocols: vec!["v2".to_owned()],
            account: "alice".to_owned(),
        }
    }

    #[test]
    fn a_query_is_encoded_and_added() {
        let check = |url: &str, expect: &str| {
            let wire = Credential::query("t k", "ü&=/-._~").into_wire(&key(url));
            let expect = Ok(Some(expect.to_owned()));
            assert_eq!(wire.map(|wire| wire.url), expect);
        };
        check("wss://h/", "wss://h/?t%20k=%C3%BC%26%3D%2F-._~");
        check("wss://h/?a=b", "wss://h/?a=b&t%20k=%C3%BC%26%3D%2F-._~");
    }

    #[test]
    fn a_subprotocol_stands_behind_the_others_and_is_a_token() {
        let wire = Credential::subprotocol("bearer.x").into_wire(&key("wss://h/"));
        let subprotocols = wire.map(|wire| wire.subprotocols);
        assert_eq!(subprotocols, Ok(vec!["v2".into(), "bearer.x".into()]));
        for bad in ["not a token", "v2", ""] {
            let wire = Credential::subprotocol(bad).into_wire(&key("wss://h/"));
            assert_eq!(wire, Err(BuildError::InvalidSubprotocol), "{bad}");
        }
    }

    #[test]
    fn dials_that_open_no_socket_are_counted_from_the_last_that_did() {
        let dials = Dials::default();
        let learn = |is_open: bool, number| {
            let state = match is_open {
                true => LinkState::Connected {
                    subprotocol: String::new(),
                    uptime: Millis(0),
                },
                false => LinkState::Connecting { attempt: 0 },
            };
            dials.learn(&Status {
                state,
                tabs: 1,
                queued_messages: 0,
                queued_bytes: 0,
                dials: number,
                round_trip: None,
            });
            dials.failed()
        };
        assert_eq!(dials.failed(), 0);
        // Others have dialled before.
        assert_eq!(learn(false, 5), 0);
        assert_eq!(learn(false, 7), 2);
        assert_eq!(learn(true, 8), 0);
        assert_eq!(learn(false, 8), 0);
        assert_eq!(learn(false, 9), 1);
        // Of the next worker.
        assert_eq!(learn(false, 0), 0);
        assert_eq!(learn(false, 2), 2);
        assert_eq!(learn(true, 2), 0);
    }

    #[test]
    fn what_no_worker_would_read_is_not_sent() {
        let long = Credential::query("t", "x".repeat(9_000)).into_wire(&key("wss://h/"));
        assert!(matches!(long, Err(BuildError::OverCap(_))), "{long:?}");
    }
}
