//! A send on its way.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt, channel::oneshot};
use onesocket_protocol::SendId;

use crate::SendError;

/// A send on its way, as a future. It ends as sent, that is handed to an open socket (or, if it was asked for, acknowledged by the
/// server), or as a typed failure; within the
/// queue's timeout, five minutes if not set otherwise.
///
/// The message is taken when [`Client::send`](crate::Client::send) is called, in the order of the calls. Dropping the future
/// only drops the interest in the outcome.
#[derive(Debug)]
pub struct Sending(State);

#[derive(Debug)]
enum State {
    Failed(Option<SendError>),
    Taken(SendId, oneshot::Receiver<Result<(), SendError>>),
}

impl Sending {
    pub(crate) fn failed(error: SendError) -> Self {
        Self(State::Failed(Some(error)))
    }

    pub(crate) fn taken(id: SendId, receipt: oneshot::Receiver<Result<(), SendError>>) -> Self {
        Self(State::Taken(id, receipt))
    }

    /// Returns its number within the client, or `None` when it was not taken.
    #[must_use]
    pub fn id(&self) -> Option<SendId> {
        match self.0 {
            State::Failed(_) => None,
            State::Taken(id, _) => Some(id),
        }
    }
}

impl Future for Sending {
    type Output = Result<SendId, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Failed(error) => Poll::Ready(Err(error.take().unwrap_or(SendError::Dropped))),
            State::Taken(id, receipt) => receipt.poll_unpin(cx).map(|receipt| match receipt {
                Ok(outcome) => outcome.map(|()| *id),
                Err(oneshot::Canceled) => Err(SendError::Dropped),
            }),
        }
    }
}
