//! Who waits for what became of a send.

use std::{cell::RefCell, collections::VecDeque};

use futures::channel::oneshot;
use litemap::LiteMap;
use onesocket_protocol::SendId;

use crate::SendError;

type Receipt = oneshot::Sender<Result<(), SendError>>;

/// Who waits for what became of a send. Nothing is borrowed while somebody is woken: an executor may poll it at once.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    /// Ends when it is handed to a socket; in the order of the ids.
    sent: RefCell<VecDeque<(SendId, Receipt)>>,
    /// Ends when the server acknowledges it.
    kept: RefCell<LiteMap<SendId, (u64, Receipt)>>,
}

impl Receipts {
    /// Waits for a send to be handed to a socket.
    pub(crate) fn expect_sent(&self, id: SendId) -> oneshot::Receiver<Result<(), SendError>> {
        let (receipt, outcome) = oneshot::channel();
        self.sent.borrow_mut().push_back((id, receipt));
        outcome
    }

    /// Waits for a send to be acknowledged under this name.
    pub(crate) fn expect_acknowledged(
        &self,
        id: SendId,
        ack_id: u64,
    ) -> oneshot::Receiver<Result<(), SendError>> {
        let (receipt, outcome) = oneshot::channel();
        self.kept.borrow_mut().insert(id, (ack_id, receipt));
        outcome
    }

    /// Returns whether any acknowledgement is waited for.
    pub(crate) fn wants_acknowledgements(&self) -> bool {
        !self.kept.borrow().is_empty()
    }

    /// Returns the sends that are acknowledged under this name.
    pub(crate) fn named(&self, ack_id: u64) -> Vec<SendId> {
        let kept = self.kept.borrow();
        let named = kept.iter().filter(|(_, (name, _))| *name == ack_id);
        named.map(|(id, _)| *id).collect()
    }

    /// All sends up to this one were handed to a socket.
    pub(crate) fn settle_through(&self, through: SendId) {
        while let Some(receipt) = self.pop_through(through) {
            // Whoever sent may not want to know.
            let _ = receipt.send(Ok(()));
        }
    }

    fn pop_through(&self, through: SendId) -> Option<Receipt> {
        let mut sent = self.sent.borrow_mut();
        let is_it = sent.front().is_some_and(|(id, _)| *id <= through);
        let (_, receipt) = is_it.then(|| sent.pop_front()).flatten()?;
        Some(receipt)
    }

    pub(crate) fn settle(&self, id: SendId, outcome: Result<(), SendError>) {
        if let Some(receipt) = self.take(id) {
            let _ = receipt.send(outcome);
        }
    }

    fn take(&self, id: SendId) -> Option<Receipt> {
        if let Some((_, receipt)) = self.kept.borrow_mut().remove(&id) {
            return Some(receipt);
        }
        let mut sent = self.sent.borrow_mut();
        let at = sent.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        sent.remove(at).map(|(_, receipt)| receipt)
    }

    /// Nobody will say any more.
    pub(crate) fn clear(&self) {
        let sent = self.sent.take();
        let kept = self.kept.take();
        drop((sent, kept));
    }
}
