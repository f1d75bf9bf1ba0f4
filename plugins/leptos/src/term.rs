//! How long a connection has the same client.

use std::{convert::Infallible, pin::pin};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{Either, Shared, select},
};

/// The time in which a client is that of its handle. What was asked of it is nobody's any more when that is over, even when the app has kept
/// the client.
#[derive(Clone)]
pub(crate) struct Term {
    /// Tells one from another.
    pub(crate) number: u64,
    over: Shared<oneshot::Receiver<Infallible>>,
}

impl Term {
    /// Waits for something, or returns `None` when the term is over.
    pub(crate) async fn within<T>(self, work: impl Future<Output = T>) -> Option<T> {
        // The end counts first: what becomes of work when its client is dropped is no outcome.
        match select(self.over, pin!(work)).await {
            Either::Left(_) => None,
            Either::Right((outcome, _)) => Some(outcome),
        }
    }
}

/// The term that runs. It is over when this is dropped.
pub(crate) struct Running {
    pub(crate) term: Term,
    _end: oneshot::Sender<Infallible>,
}

impl Running {
    pub(crate) fn new(number: u64) -> Self {
        let (end, over) = oneshot::channel();
        Self {
            term: Term {
                number,
                over: over.shared(),
            },
            _end: end,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn what_ends_with_the_term_has_no_outcome() {
        let running = Running::new(0);
        let term = running.term.clone();
        let mut waiting = Box::pin(term.clone().within(pending::<()>()));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(term.clone().within(ready(1)).now_or_never(), Some(Some(1)));
        drop(running);
        assert_eq!(waiting.now_or_never(), Some(None));
        assert_eq!(term.within(ready(1)).now_or_never(), Some(None));
    }
}
