//! The server's messages in another form, by code of the app's own.

use onesocket_protocol::{LinkKey, Payload};
use serde::{Serialize, de::DeserializeOwned};

/// Gives the tabs of this worker each message of the server in the form that a function makes of it; those for which it returns
/// `None`, as the server has sent them.
///
/// To be called before [`serve`](crate::serve); the last call counts. The function is told the URL, the subprotocols and the account by
/// which the tabs share the connection. It runs once per message, however many tabs listen, and behind everything that a policy says about
/// messages: heartbeats, answers, keys and limits are about what the server says. A replay is of what it has made. It must not panic,
/// which would end the worker.
///
/// In the page, that is in the main tier, it is not called: the tabs' codec has to read both forms, as `onesocket::codec::Transcoded` does.
/// On other targets than wasm it never is.
///
/// ```no_run
/// #[derive(PartialEq, serde::Serialize, serde::Deserialize)]
/// struct Quote {
///     symbol: String,
///     bid: f64,
/// }
///
/// onesocket_worker::transcode(|link, payload| match link.account.as_str() {
///     "quotes-1" => onesocket_worker::json_to_postcard::<Quote>(payload),
///     _ => None,
/// });
/// onesocket_worker::serve();
/// ```
pub fn transcode(transcode: impl Fn(&LinkKey, &Payload) -> Option<Payload> + 'static) {
    #[cfg(target_family = "wasm")]
    registry::set(transcode);
    #[cfg(not(target_family = "wasm"))]
    drop(transcode);
}

/// Turns a text message that is an `Rx` in JSON into a binary one that is the same in postcard, which `onesocket::codec::Transcoded` reads.
///
/// Returns `None` for everything else. That includes every message that a page would not read as the very same `Rx`: types with serde's
/// `tag`, `untagged` or `flatten`, and messages from which `skip_serializing_if` leaves something out, are among what postcard can't read back.
///
/// Postcard does not say what it holds: page and worker have to mean the same type. After a deploy the tabs of the former build go on, some with
/// the new worker. Let the account of the connection name the shape of the type, and transcode for that name only: tabs of another shape have
/// another connection, and get JSON.
///
/// ```
/// use onesocket_worker::{Payload, json_to_postcard};
///
/// let json = Payload::text(r#"{"symbol":"ABC","bid":1.25}"#);
/// assert_eq!(json_to_postcard::<Vec<u8>>(&Payload::text("[1,2]")), Some(Payload::binary(vec![2, 1, 2])));
/// assert_eq!(json_to_postcard::<Vec<u8>>(&json), None);
/// ```
#[must_use]
pub fn json_to_postcard<Rx>(payload: &Payload) -> Option<Payload>
where
    Rx: Serialize + DeserializeOwned + PartialEq,
{
    let message: Rx = serde_json::from_str(payload.as_text()?).ok()?;
    let bytes = postcard::to_allocvec(&message).ok()?;
    let read = postcard::take_from_bytes::<Rx>(&bytes);
    let is_the_same = matches!(read, Ok((read, [])) if read == message);
    is_the_same.then(|| Payload::binary(bytes))
}

#[cfg(target_family = "wasm")]
pub(crate) use registry::prepare;

#[cfg(target_family = "wasm")]
mod registry {
    use std::cell::RefCell;

    use onesocket_engine::{Engine, Transcode};
    use onesocket_protocol::{LinkKey, Payload, WorkerScope};

    pub(super) fn set(transcode: impl Fn(&LinkKey, &Payload) -> Option<Payload> + 'static) {
        TRANSCODE.set(Some(Transcode::new(transcode)));
    }

    /// Gives an engine what was registered. Not in the page: nothing would be saved where the messages are read.
    pub(crate) fn prepare(mut engine: Engine, scope: WorkerScope) -> Engine {
        let registered = TRANSCODE.with_borrow(Clone::clone);
        if let Some(transcode) = registered.filter(|_| scope != WorkerScope::Main) {
            engine.transcode(transcode);
        }
        engine
    }

    thread_local! {
        static TRANSCODE: RefCell<Option<Transcode>> = const { RefCell::new(None) };
    }
}
