//! Requests and their answers, on top of the app's own messages.

use std::{
    fmt,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{FusedFuture, LocalBoxFuture},
};

use crate::{RequestError, Sending, client::Shared, page};

/// Names a request within everything that shares its socket: a random number below 2^53, so that it survives JSON.
///
/// With serde it is the number alone, so that messages may have it as it is:
///
/// ```
/// # #[cfg(feature = "json")] {
/// use onesocket::{Payload, RequestId, codec::{Codec, Json}};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Ask { id: RequestId, city: String }
///
/// let ask = Ask { id: RequestId(7), city: "Oslo".into() };
/// let payload = Codec::<Ask, Ask>::encode(&Json, &ask);
/// assert_eq!(payload.ok(), Some(Payload::text(r#"{"id":7,"city":"Oslo"}"#)));
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    any(feature = "json", feature = "postcard"),
    derive(serde::Serialize, serde::Deserialize)
)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A request on its way, as a future of its answer; see [`Client::request`](crate::Client::request).
#[must_use = "the answer is dropped with the request"]
pub struct Request<Rx> {
    id: Option<RequestId>,
    sending: Option<Sending>,
    answer: oneshot::Receiver<Rx>,
    shared: Weak<Shared<Rx>>,
    after: Duration,
    timer: LocalBoxFuture<'static, ()>,
    has_ended: bool,
}

/// Long enough for a slow answer, short enough for a user who waits.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

impl<Rx: 'static> Request<Rx> {
    pub(crate) fn new(shared: &Rc<Shared<Rx>>, send: impl FnOnce(RequestId) -> Sending) -> Self {
        let (id, sending, answer) = if shared.knows_replies() {
            let (id, answer) = shared.add_request();
            (Some(id), Some(send(id)), answer)
        } else {
            (None, None, oneshot::channel().1)
        };
        let timer = page::sleep(DEFAULT_TIMEOUT);
        Self {
            id,
            sending,
            answer,
            shared: Rc::downgrade(shared),
            after: DEFAULT_TIMEOUT,
            timer,
            has_ended: false,
        }
    }

    /// Sets how long to wait for the answer, counted from this call.
    pub fn timeout(mut self, after: Duration) -> Self {
        self.after = after;
        self.timer = page::sleep(after);
        self
    }
}

impl<Rx> Future for Request<Rx> {
    type Output = Result<Rx, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.poll_outcome(cx);
        self.has_ended = polled.is_ready();
        polled
    }
}

/// Terminated once its outcome was told, so that `futures::select!` takes it as it is.
impl<Rx> FusedFuture for Request<Rx> {
    fn is_terminated(&self) -> bool {
        self.has_ended
    }
}

impl<Rx> Request<Rx> {
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<Rx, RequestError>> {
        if self.id.is_none() {
            return Poll::Ready(Err(RequestError::NoReplies));
        }
        if let Poll::Ready(answer) = self.answer.poll_unpin(cx) {
            return Poll::Ready(answer.map_err(|oneshot::Canceled| RequestError::Dropped));
        }
        if let Some(sending) = &mut self.sending {
            match sending.poll_unpin(cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(RequestError::Send(error))),
                Poll::Ready(Ok(_)) => self.sending = None,
                Poll::Pending => {}
            }
        }
        self.timer
            .poll_unpin(cx)
            .map(|()| Err(RequestError::Timeout { after: self.after }))
    }
}

impl<Rx> Drop for Request<Rx> {
    fn drop(&mut self) {
        if let (Some(id), Some(shared)) = (self.id, self.shared.upgrade()) {
            shared.remove_request(id);
        }
    }
}

impl<Rx> fmt::Debug for Request<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("timeout", &self.after)
            .finish_non_exhaustive()
    }
}
