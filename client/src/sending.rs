//! A send on its way.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{FusedFuture, Shared},
};
use onesocket_protocol::SendId;

use crate::SendError;

/// A send on its way, as a future. It ends as sent, that is handed to an open socket (or, if it was asked for, acknowledged by the
/// server), or as a typed failure; within the queue's timeout, five minutes if not set otherwise, which begins anew when another worker
/// takes over.
///
/// The message is taken when [`Client::send`](crate::Client::send) is called, in the order of the calls. Dropping the future
/// only drops the interest in the outcome.
#[derive(Debug)]
pub struct Sending {
    state: State,
    /// Its outcome was told.
    has_ended: bool,
}

#[derive(Debug)]
enum State {
    Failed(Option<SendError>),
    Taken(SendId, oneshot::Receiver<Result<(), SendError>>),
}

impl Sending {
    pub(crate) fn failed(error: SendError) -> Self {
        Self {
            state: State::Failed(Some(error)),
            has_ended: false,
        }
    }

    pub(crate) fn taken(id: SendId, receipt: oneshot::Receiver<Result<(), SendError>>) -> Self {
        Self {
            state: State::Taken(id, receipt),
            has_ended: false,
        }
    }

    /// Returns its number within the client, or `None` when it was not taken.
    #[must_use]
    pub fn id(&self) -> Option<SendId> {
        match self.state {
            State::Failed(_) => None,
            State::Taken(id, _) => Some(id),
        }
    }

    /// Makes a receipt of it, which can be cloned, compared, awaited by several and looked at.
    #[must_use]
    pub fn into_receipt(self) -> Receipt {
        Receipt(self.shared())
    }
}

/// A send that has failed already.
impl From<SendError> for Sending {
    fn from(error: SendError) -> Self {
        Self::failed(error)
    }
}

impl Future for Sending {
    type Output = Result<SendId, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = match &mut self.state {
            State::Failed(error) => Poll::Ready(Err(error.take().unwrap_or(SendError::Dropped))),
            State::Taken(id, receipt) => receipt.poll_unpin(cx).map(|receipt| match receipt {
                Ok(outcome) => outcome.map(|()| *id),
                Err(oneshot::Canceled) => Err(SendError::Dropped),
            }),
        };
        self.has_ended = polled.is_ready();
        polled
    }
}

/// Terminated once its outcome was told, so that `futures::select!` takes it as it is.
impl FusedFuture for Sending {
    fn is_terminated(&self) -> bool {
        self.has_ended
    }
}

/// What becomes of one send, to be kept beside the message that an app shows; made by [`Sending::into_receipt`].
///
/// Clones are the same receipt. It is a future like [`Sending`]; as long as nobody awaits any of the clones, none has an
/// [`outcome`](Self::outcome). Dropping all of them only drops the interest in it.
///
/// ```
/// use futures::FutureExt;
/// use onesocket::{Client, SendError, codec::Text};
///
/// let client: Client<str, String> = Client::builder("wss://example.org/", Text).build()?;
/// let receipt = client.send("hello").into_receipt();
/// assert!(receipt.outcome().is_none());
/// receipt.clone().now_or_never();
/// // There is no browser here.
/// assert!(matches!(receipt.outcome(), Some(Err(SendError::Rejected(_)))));
/// # Ok::<(), onesocket::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Receipt(Shared<Sending>);

impl Receipt {
    /// Returns how it has ended, or `None` while it is on its way or nobody has awaited it.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<SendId, SendError>> {
        self.0.peek().cloned()
    }
}

impl Future for Receipt {
    type Output = Result<SendId, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A `Shared` that was ready forgets what it is of, and may be awaited by reference.
        let kept = self.0.clone();
        let poll = self.0.poll_unpin(cx);
        if poll.is_ready() {
            self.0 = kept;
        }
        poll
    }
}

/// Clones are equal.
impl PartialEq for Receipt {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

impl Eq for Receipt {}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receipt").field(&self.outcome()).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures::task::noop_waker;

    use super::*;

    #[test]
    fn a_receipt_that_was_awaited_by_reference_lost_how_it_ended() {
        let (ending, receipt) = oneshot::channel();
        let mut receipt = Sending::taken(SendId(1), receipt).into_receipt();
        let (mut before, waker) = (receipt.clone(), noop_waker());
        let cx = &mut Context::from_waker(&waker);
        assert!(receipt.poll_unpin(cx).is_pending());
        assert!(ending.send(Ok(())).is_ok());
        for _ in 0..2 {
            assert!(matches!(receipt.poll_unpin(cx), Poll::Ready(Ok(SendId(1)))));
            assert!(matches!(receipt.outcome(), Some(Ok(SendId(1)))));
        }
        assert!(receipt == before && receipt == receipt.clone());
        let (mut after, outcome) = (receipt.clone(), Poll::Ready(SendId(1)));
        for clone in [&mut before, &mut after] {
            assert_eq!(clone.poll_unpin(cx).map(Result::unwrap), outcome);
        }
    }
}
