//! Who waits until less is on its way.

use std::{
    cell::RefCell,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt, channel::oneshot, future::FusedFuture};

use crate::ReadyError;

/// Waits until little enough is on its way, as a future; made by [`Client::ready`](crate::Client::ready).
///
/// Dropping it costs nothing. Several may wait: they all go on at once.
#[derive(Debug)]
#[must_use = "who does not wait need not ask"]
pub struct Ready {
    told: oneshot::Receiver<Result<(), ReadyError>>,
    has_ended: bool,
}

impl Future for Ready {
    type Output = Result<(), ReadyError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Nobody can say any more when the client was dropped.
        let told = self.told.poll_unpin(cx);
        self.has_ended = told.is_ready();
        told.map(|told| told.unwrap_or(Err(ReadyError::Closed)))
    }
}

/// Terminated once it has ended, so that `futures::select!` takes it as it is.
impl FusedFuture for Ready {
    fn is_terminated(&self) -> bool {
        self.has_ended
    }
}

/// Lets those through who wait to send. Nothing is borrowed while somebody is woken: an executor may poll it at once.
#[derive(Debug)]
pub(crate) struct Gate {
    /// With so many bytes on their way it is still open.
    ready_at: usize,
    waiting: RefCell<Vec<oneshot::Sender<Result<(), ReadyError>>>>,
    /// Why nothing more is sent.
    stopped: RefCell<Option<ReadyError>>,
}

impl Gate {
    pub(crate) fn new(ready_at: usize) -> Self {
        Self {
            ready_at,
            waiting: RefCell::default(),
            stopped: RefCell::default(),
        }
    }

    /// Waits, if so many bytes are too many.
    pub(crate) fn wait(&self, buffered: usize) -> Ready {
        let (gate, ready) = oneshot::channel();
        let mut waiting = self.waiting.borrow_mut();
        // Else a future that is made and dropped in a loop would leave something behind each time.
        waiting.retain(|other| !other.is_canceled());
        waiting.push(gate);
        drop(waiting);
        let stopped = self.stopped.borrow().clone();
        match stopped {
            Some(why) => self.tell(Err(why)),
            None => self.review(|| buffered),
        }
        Ready {
            told: ready,
            has_ended: false,
        }
    }

    /// Something may have changed.
    pub(crate) fn review(&self, buffered: impl FnOnce() -> usize) {
        let is_awaited = !self.waiting.borrow().is_empty();
        if is_awaited && buffered() <= self.ready_at {
            self.tell(Ok(()));
        }
    }

    /// Nothing more is sent, until it starts anew.
    pub(crate) fn stop(&self, why: ReadyError) {
        self.stopped.replace(Some(why.clone()));
        self.tell(Err(why));
    }

    /// It was asked to start anew. That there is no worker holds until there is one.
    pub(crate) fn restart(&self) {
        self.forget_if(|why| matches!(why, ReadyError::Stopped(_)));
    }

    /// It does something. What is closed stays closed.
    pub(crate) fn revive(&self) {
        self.forget_if(|why| !matches!(why, ReadyError::Closed));
    }

    fn forget_if(&self, is_over: impl FnOnce(&ReadyError) -> bool) {
        let mut stopped = self.stopped.borrow_mut();
        if stopped.as_ref().is_some_and(is_over) {
            *stopped = None;
        }
    }

    fn tell(&self, what: Result<(), ReadyError>) {
        for waiting in self.waiting.take() {
            // Whoever asked may have stopped waiting.
            let _ = waiting.send(what.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        task::{Wake, Waker},
    };

    use onesocket_engine::SessionFailure;
    use onesocket_protocol::StopReason;

    use super::*;
    use crate::{Client, codec::Text};

    fn outcome(ready: Ready) -> Option<Result<(), ReadyError>> {
        ready.now_or_never()
    }

    #[test]
    fn it_is_open_up_to_its_bound() {
        let gate = Gate::new(10);
        assert!(matches!(outcome(gate.wait(10)), Some(Ok(()))));
        assert!(outcome(gate.wait(11)).is_none());
    }

    #[test]
    fn all_go_on_when_enough_is_gone() {
        let gate = Gate::new(10);
        let (one, other) = (gate.wait(11), gate.wait(20));
        gate.review(|| 11);
        let third = gate.wait(11);
        gate.review(|| 10);
        for ready in [one, other, third] {
            assert!(matches!(outcome(ready), Some(Ok(()))));
        }
    }

    #[test]
    fn nobody_waits_for_what_has_stopped() {
        let gate = Gate::new(10);
        let waits = gate.wait(11);
        gate.stop(ReadyError::Stopped(StopReason::LoggedOut));
        let is_stopped = |outcome| matches!(outcome, Some(Err(ReadyError::Stopped(_))));
        assert!(is_stopped(outcome(waits)));
        assert!(is_stopped(outcome(gate.wait(0))));
        gate.restart();
        assert!(matches!(outcome(gate.wait(0)), Some(Ok(()))));

        gate.stop(ReadyError::NoWorker(SessionFailure::NoTier));
        gate.restart();
        let fails = outcome(gate.wait(0));
        assert!(matches!(fails, Some(Err(ReadyError::NoWorker(_)))));
        gate.revive();
        assert!(matches!(outcome(gate.wait(0)), Some(Ok(()))));

        gate.stop(ReadyError::Closed);
        gate.restart();
        gate.revive();
        assert!(matches!(
            outcome(gate.wait(0)),
            Some(Err(ReadyError::Closed))
        ));
    }

    #[test]
    fn a_client_that_is_dropped_keeps_nobody_waiting() {
        let gate = Gate::new(10);
        let waits = gate.wait(11);
        drop(gate);
        assert!(matches!(outcome(waits), Some(Err(ReadyError::Closed))));
    }

    /// An executor may poll in the very moment in which it is woken.
    #[test]
    fn who_is_woken_may_wait_again_at_once() {
        thread_local! {
            static GATE: Gate = Gate::new(10);
        }
        struct WaitsAgain;
        impl Wake for WaitsAgain {
            fn wake(self: Arc<Self>) {
                GATE.with(|gate| assert!(outcome(gate.wait(11)).is_none()));
            }
        }
        let mut waits = GATE.with(|gate| gate.wait(11));
        let waker = Waker::from(Arc::new(WaitsAgain));
        let polled = waits.poll_unpin(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        GATE.with(|gate| gate.review(|| 0));
        assert!(matches!(outcome(waits), Some(Ok(()))));
        GATE.with(|gate| assert_eq!(gate.waiting.borrow().len(), 1));
    }

    #[test]
    fn who_waited_when_it_stopped_could_not_ask_for_a_new_start() {
        thread_local! {
            static GATE: Gate = Gate::new(10);
        }
        struct Restarts;
        impl Wake for Restarts {
            fn wake(self: Arc<Self>) {
                GATE.with(|gate| {
                    gate.stop(ReadyError::Closed);
                    gate.restart();
                });
            }
        }
        let mut waits = GATE.with(|gate| gate.wait(11));
        let waker = Waker::from(Arc::new(Restarts));
        let polled = waits.poll_unpin(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        // Somebody else finds it stopped, and tells all.
        let why = ReadyError::Stopped(StopReason::LoggedOut);
        GATE.with(|gate| gate.stopped.replace(Some(why)));
        let finds = GATE.with(|gate| gate.wait(11));
        for ready in [waits, finds] {
            assert!(matches!(outcome(ready), Some(Err(ReadyError::Stopped(_)))));
        }
    }

    #[test]
    fn without_a_browser_nobody_waits() {
        let client: Client<str, String> = Client::builder("wss://x.org/", Text)
            .build()
            .expect("a client");
        let has_no_worker = |ready| matches!(outcome(ready), Some(Err(ReadyError::NoWorker(_))));
        assert!(has_no_worker(client.ready()));
        client.reconnect();
        assert!(has_no_worker(client.ready()));
        client.disconnect();
        let ready = outcome(client.ready());
        assert!(matches!(ready, Some(Err(ReadyError::Closed))));
    }

    #[test]
    fn what_is_dropped_leaves_nothing_behind() {
        let gate = Gate::new(10);
        (0..100).for_each(|_| drop(gate.wait(11)));
        assert_eq!(gate.waiting.borrow().len(), 1);
    }
}
