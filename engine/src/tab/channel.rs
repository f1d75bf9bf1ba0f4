//! One channel of a tab: what it asked for, and what it has sent without a receipt.

use std::collections::VecDeque;

use litemap::LiteMap;
use onesocket_protocol::{
    ChannelId, Connect, Greeting, GreetingId, LinkPolicy, Millis, Payload, SendId, ToWorker,
};

use super::{
    ChannelConfig,
    delivery::{Delivery, Pending},
};

#[derive(Debug)]
pub(super) struct Channel {
    config: ChannelConfig,
    pub(super) greetings: LiteMap<GreetingId, Greeting>,
    next_greeting: u32,
    last_send: u64,
    /// Sends that are in a batch, oldest first, until their receipt.
    pub(super) unconfirmed: VecDeque<Pending>,
    /// Handed to a socket and to be kept until the server acknowledges them, oldest first. All are older than what is unconfirmed.
    pub(super) handed: VecDeque<Pending>,
    /// Up to here the worker may have handed sends to a socket, as it says; 0 when none.
    marked: SendId,
    /// Sends that are sent again, oldest first: a worker that is lost may have handed them to a socket.
    pub(super) doubtful: VecDeque<SendId>,
    /// Bytes of the payloads of all sends without a last word.
    pub(super) unsettled_bytes: usize,
    /// What the socket holds that has not gone to the network, as the worker has told.
    pub(super) socket_bytes: u32,
    /// The client is gone; only the worker's last word is waited for.
    pub(super) closing: bool,
    /// Whether a worker has attached it, and was not let go of since.
    pub(super) is_attached: bool,
    /// Whether it is still to hear of an update that the tab knows of already.
    pub(super) owes_update: bool,
    /// That worker is lost, and no other has attached it yet. Only of one whose sends may not wait: none is to go out on a socket that its
    /// client knows nothing of.
    pub(super) is_cut: bool,
    /// Its account is to be logged out, with so much time for what is queued: every worker is told, until one has done it.
    pub(super) log_out: Option<Option<Millis>>,
}

impl Channel {
    pub(super) fn new(config: ChannelConfig) -> Self {
        Self {
            config,
            greetings: LiteMap::new(),
            next_greeting: 1,
            last_send: 0,
            unconfirmed: VecDeque::new(),
            handed: VecDeque::new(),
            marked: SendId(0),
            doubtful: VecDeque::new(),
            unsettled_bytes: 0,
            socket_bytes: 0,
            closing: false,
            is_attached: false,
            owes_update: false,
            is_cut: false,
            log_out: None,
        }
    }

    /// Whether its client is gone, and leaves nothing for another worker to do.
    pub(super) fn is_over(&self) -> bool {
        self.closing && self.log_out.is_none()
    }

    /// Whether it is one socket, which ends with its worker: it dials once, and nothing waits for another dial.
    pub(super) fn is_one_socket(&self) -> bool {
        let LinkPolicy { give_up, queue, .. } = &self.config.policy;
        give_up.attempts == Some(1) && queue.messages == 0
    }

    pub(super) fn on_attached(&mut self) {
        (self.is_attached, self.is_cut) = (true, false);
    }

    /// No worker has it any more. Returns whether it is cut by that.
    pub(super) fn cut(&mut self) -> bool {
        self.is_cut |= self.is_attached && self.config.policy.queue.messages == 0;
        self.is_cut
    }

    pub(super) fn connect(&self, channel: ChannelId) -> ToWorker {
        let ChannelConfig {
            key,
            policy,
            replay,
        } = self.config.clone();
        ToWorker::Connect(Box::new(Connect {
            channel,
            key,
            policy: policy.into(),
            replay,
        }))
    }

    pub(super) fn next_send(&mut self) -> SendId {
        self.last_send += 1;
        SendId(self.last_send)
    }

    pub(super) fn add_greeting(&mut self, payload: Payload, farewell: Option<Payload>) -> Greeting {
        let id = GreetingId(self.next_greeting);
        self.next_greeting += 1;
        let greeting = Greeting {
            id,
            payload,
            farewell,
        };
        self.greetings.insert(id, greeting.clone());
        greeting
    }

    /// The worker says that it may have handed sends to a socket up to this one.
    pub(super) fn mark(&mut self, through: SendId) {
        self.marked = self.marked.max(through);
    }

    /// All sends up to one were handed to a socket. Those that are not to be kept are settled.
    pub(super) fn confirm(&mut self, through: SendId) {
        self.mark(through);
        while let Some(pending) = pop_through(&mut self.unconfirmed, through, |pending| pending.id)
        {
            if pending.delivery == Delivery::UntilAcknowledged {
                self.handed.push_back(pending);
            } else {
                self.settle(&pending);
            }
        }
        while pop_through(&mut self.doubtful, through, |doubtful| *doubtful).is_some() {}
    }

    /// A send has its last word.
    pub(super) fn settle(&mut self, pending: &Pending) {
        self.unsettled_bytes -= pending.payload.len();
    }

    pub(super) fn take_unconfirmed(&mut self, send: SendId) -> Option<Pending> {
        take(&mut self.unconfirmed, send)
    }

    pub(super) fn take_handed(&mut self, send: SendId) -> Option<Pending> {
        take(&mut self.handed, send)
    }

    /// Returns whether a send that no worker has any more may have reached a socket, and forgets it.
    pub(super) fn take_doubt(&mut self, send: SendId) -> bool {
        let at = self.doubtful.binary_search(&send);
        at.is_ok_and(|at| self.doubtful.remove(at).is_some())
    }

    /// Sorts what a lost worker had: gives back what the next one is to send, and returns the rest, which may have been sent.
    /// What was in a batch up to `certain_through` the worker has certainly read; beyond its own mark it has handed on nothing
    /// of that.
    pub(super) fn lose_worker(
        &mut self,
        certain_through: u64,
        give_back: &mut dyn FnMut(Pending),
    ) -> Vec<Pending> {
        let marked = core::mem::replace(&mut self.marked, SendId(0));
        let mut lost = Vec::new();
        let was_handed = self.handed.len();
        let all = self.handed.drain(..).chain(self.unconfirmed.drain(..));
        for (at, pending) in all.enumerate() {
            let is_kept_back =
                at >= was_handed && pending.batch <= certain_through && pending.id > marked;
            if !is_kept_back {
                if pending.delivery == Delivery::AtMostOnce || self.closing {
                    self.unsettled_bytes -= pending.payload.len();
                    lost.push(pending);
                    continue;
                }
                if let Err(at) = self.doubtful.binary_search(&pending.id) {
                    self.doubtful.insert(at, pending.id);
                }
            }
            give_back(pending);
        }
        lost
    }
}

fn pop_through<T>(
    sorted: &mut VecDeque<T>,
    through: SendId,
    id: impl Fn(&T) -> SendId,
) -> Option<T> {
    let is_it = sorted.front().is_some_and(|front| id(front) <= through);
    is_it.then(|| sorted.pop_front()).flatten()
}

fn take(pendings: &mut VecDeque<Pending>, send: SendId) -> Option<Pending> {
    let at = pendings
        .binary_search_by_key(&send, |pending| pending.id)
        .ok()?;
    pendings.remove(at)
}
