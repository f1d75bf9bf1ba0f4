//! How often a send may reach the server, and what becomes of sends when a worker is lost.

use core::cmp::Ordering;
use std::collections::BinaryHeap;

use onesocket_protocol::{ChannelId, Outgoing, Payload, SendFailure, SendId, Status, ToWorker};

use super::{ChannelEvent, HandingOver, Phase, TabSession};

/// How often a send may reach the server.
///
/// Whatever it is, sends of one channel reach the server in their order, and those that certainly have not reached a socket when
/// a worker is lost go to its successor, unless the queue holds no message: then nothing waits for one.
///
/// ```
/// use onesocket_engine::Delivery;
///
/// assert_eq!(Delivery::default(), Delivery::AtMostOnce);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Delivery {
    /// It is never sent a second time. When a worker is lost in the moment in which it hands the send to the socket, the send
    /// ends as [`ChannelEvent::MaybeSent`].
    #[default]
    AtMostOnce,
    /// In that case the next worker sends it again, under the same id: for protocols in which a repetition does no harm.
    AtLeastOnce,
    /// It is kept until [`TabSession::acknowledge`], and sent again on every new socket and by every new worker until then. The
    /// time that a send may wait in the queue bounds this too, with each worker anew.
    UntilAcknowledged,
}

/// What is known of a worker that is lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Loss {
    /// It will never touch a socket again: its Web Lock is free, or it was terminated or fenced off.
    Ended,
    /// It may live on: what it was given it may still hand to a socket.
    Unknown,
}

/// A send without its last word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pending {
    pub(super) id: SendId,
    pub(super) payload: Payload,
    pub(super) delivery: Delivery,
    /// The batch that it left in.
    pub(super) batch: u64,
}

impl Pending {
    pub(super) fn outgoing(&self, channel: ChannelId) -> Outgoing<'_> {
        Outgoing {
            channel,
            id: self.id,
            keep: self.delivery == Delivery::UntilAcknowledged,
            payload: &self.payload,
        }
    }
}

/// A send that goes to the next worker, in the order of channels and ids.
#[derive(PartialEq, Eq)]
struct Returned((ChannelId, Pending));

impl Ord for Returned {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |Self((channel, pending)): &Self| (*channel, pending.id);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Returned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What has been put off until a batch may leave.
#[derive(Debug)]
pub(super) enum Unposted {
    Message(ToWorker),
    Send(ChannelId, Pending),
}

impl TabSession {
    /// Forgets the worker: it is gone. The channels wait for the next [`attach`](Self::attach), and those that it had are told that they have no
    /// socket meanwhile.
    ///
    /// What it was given and has not confirmed is sorted by what is certain. A send that reached no socket goes to the next
    /// worker. One that may have reached one goes there too if its [`Delivery`] allows that, else it ends as
    /// [`ChannelEvent::MaybeSent`]: with a worker that has ended those are the ones it was just handing over, with one that may
    /// live on all of them. Where the queue holds no message nothing goes to the next worker.
    pub fn detach(&mut self, loss: Loss) {
        self.lose_worker(loss);
        for (id, channel) in self.channels.iter_mut() {
            if core::mem::take(&mut channel.is_attached) && !channel.closing {
                let event = ChannelEvent::Status(Status::WITHOUT_WORKER);
                self.outputs.push_back(super::TabOutput::Event {
                    channel: *id,
                    event,
                });
            }
        }
    }

    /// As [`detach`](Self::detach), and tells no channel how it is doing: a worker that is greeted anew may have its socket still.
    pub(super) fn lose_worker(&mut self, loss: Loss) {
        self.hello = None;
        self.is_hushed = false;
        // Of a tab that goes a worker still sends what it has queued.
        let was_leaving = core::mem::replace(&mut self.leaving, false);
        let is_certain = loss == Loss::Ended && !was_leaving;
        let (acked, mut returned) = match core::mem::replace(&mut self.phase, Phase::Detached) {
            Phase::Failed(why) => {
                self.phase = Phase::Failed(why);
                (0, Vec::new())
            }
            Phase::HandingOver(HandingOver { live, returned, .. }) => {
                (live.outbox.acked_seq(), returned)
            }
            Phase::Live(live) => (live.outbox.acked_seq(), Vec::new()),
            Phase::Detached | Phase::Greeting => (0, Vec::new()),
        };
        let certain_through = if is_certain { acked } else { 0 };
        for (id, channel) in self.channels.iter_mut() {
            for send in channel.lose_worker(certain_through, &mut |pending| {
                returned.push((*id, pending));
            }) {
                let event = ChannelEvent::MaybeSent { id: send.id };
                self.outputs.push_back(super::TabOutput::Event {
                    channel: *id,
                    event,
                });
            }
            if core::mem::take(&mut channel.socket_bytes) > 0 {
                let event = ChannelEvent::Buffered { bytes: 0 };
                self.outputs.push_back(super::TabOutput::Event {
                    channel: *id,
                    event,
                });
            }
        }
        self.drop_news();
        self.take_back(returned);
        let mut closing = Vec::new();
        for (id, channel) in self.channels.iter_mut().filter(|(_, c)| c.closing) {
            if was_leaving {
                // It was told with the last words.
                channel.log_out = None;
            }
            closing.push((*id, channel.is_over()));
        }
        for (channel, is_over) in closing {
            match is_over {
                true => self.forget(channel),
                false => self.settle_unsent(channel),
            }
        }
        self.end_what_may_not_wait();
    }

    fn end_what_may_not_wait(&mut self) {
        let channels = self.channels.iter_mut();
        let cut: Vec<ChannelId> = channels
            .filter_map(|(id, c)| c.cut().then_some(*id))
            .collect();
        if cut.is_empty() {
            return;
        }
        for unposted in core::mem::take(&mut self.unposted) {
            match unposted {
                Unposted::Send(id, pending) if cut.contains(&id) => {
                    self.tell_not_sent(id, &pending, NO_QUEUE);
                }
                unposted => self.unposted.push_back(unposted),
            }
        }
    }

    /// Drops what is unposted and told to the next worker by its welcome.
    pub(super) fn drop_news(&mut self) {
        self.unposted.retain(|unposted| match unposted {
            Unposted::Message(ToWorker::Ping { .. }) => true,
            Unposted::Message(message) => ordering(message).is_some(),
            Unposted::Send(..) => true,
        });
    }

    /// Puts what a worker has given back, or has lost, in front of what it was never given, in the order of the ids.
    pub(super) fn take_back(&mut self, returned: Vec<(ChannelId, Pending)>) {
        // A heap is less wasm than a sort.
        let mut returned: BinaryHeap<Returned> = returned.into_iter().map(Returned).collect();
        while let Some(Returned((channel, pending))) = returned.pop() {
            self.unposted.push_front(Unposted::Send(channel, pending));
        }
    }

    /// The server has acknowledged a send, as the app's own protocol does it. It ends as [`ChannelEvent::Acknowledged`], whatever
    /// its [`Delivery`] is, unless it has ended before.
    pub fn acknowledge(&mut self, channel: ChannelId, id: SendId) {
        let Some(pending) = self.take_pending(channel, id) else {
            return;
        };
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.settle(&pending);
        }
        if pending.delivery == Delivery::UntilAcknowledged {
            self.say_of_open(channel, ToWorker::Acknowledge { channel, id });
        }
        self.tell(channel, ChannelEvent::Acknowledged { id });
    }

    fn take_pending(&mut self, id: ChannelId, send: SendId) -> Option<Pending> {
        let channel = self.channels.get_mut(&id)?;
        if let Some(pending) = channel.take_handed(send) {
            return Some(pending);
        }
        if let Some(pending) = channel.take_unconfirmed(send) {
            channel.doubtful.retain(|doubtful| *doubtful != send);
            return Some(pending);
        }
        // A new worker has not been given it yet, or has given it back, and the one before had sent it.
        if !channel.take_doubt(send) {
            return None;
        }
        if let Phase::HandingOver(HandingOver { returned, .. }) = &mut self.phase {
            let is_it = |(of, pending): &(ChannelId, Pending)| *of == id && pending.id == send;
            if let Some(at) = returned.iter().position(is_it) {
                return Some(returned.remove(at).1);
            }
        }
        let at = self.unposted.iter().position(|unposted| {
            matches!(unposted, Unposted::Send(of, pending) if *of == id && pending.id == send)
        })?;
        match self.unposted.remove(at) {
            Some(Unposted::Send(_, pending)) => Some(pending),
            _ => None,
        }
    }

    /// A send has reached no socket of this worker. Whether it had reached one before is another matter.
    pub(super) fn tell_not_sent(&mut self, id: ChannelId, pending: &Pending, failure: SendFailure) {
        let is_doubtful = self.channels.get_mut(&id).is_some_and(|channel| {
            channel.settle(pending);
            channel.take_doubt(pending.id)
        });
        let id_of_send = pending.id;
        self.tell(
            id,
            if is_doubtful {
                ChannelEvent::MaybeSent { id: id_of_send }
            } else {
                ChannelEvent::NotSent {
                    id: id_of_send,
                    failure,
                }
            },
        );
    }

    /// Removes a channel that the worker does not hold; settles what it has unposted or unconfirmed.
    pub(super) fn forget(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let maybes: Vec<Pending> = channel
            .handed
            .drain(..)
            .chain(channel.unconfirmed.drain(..))
            .collect();
        for pending in maybes {
            self.tell(id, ChannelEvent::MaybeSent { id: pending.id });
        }
        self.settle_unsent(id);
        self.channels.remove(&id);
        self.tell(id, ChannelEvent::Closed);
    }

    /// Settles what a channel that closes has sent and no worker has; and drops what it has asked for, as no worker will know the channel.
    pub(super) fn settle_unsent(&mut self, id: ChannelId) {
        if let Phase::HandingOver(handing_over) = &mut self.phase {
            let returned = core::mem::take(&mut handing_over.returned);
            let (of_it, others) = returned.into_iter().partition(|(of, _)| *of == id);
            handing_over.returned = others;
            self.take_back(of_it);
        }
        for unposted in core::mem::take(&mut self.unposted) {
            match unposted {
                Unposted::Send(of, pending) if of == id => {
                    self.tell_not_sent(id, &pending, SendFailure::Disconnected);
                }
                Unposted::Message(message) if ordering(&message) == Some(id) => {}
                unposted => self.unposted.push_back(unposted),
            }
        }
    }
}

/// What a queue of no messages says.
pub(super) const NO_QUEUE: SendFailure = SendFailure::QueueFull {
    messages: 0,
    bytes: 0,
};

/// The channel of a message that is asked for once, and that no welcome brings.
fn ordering(message: &ToWorker) -> Option<ChannelId> {
    match message {
        ToWorker::Delay { channel, .. }
        | ToWorker::Reconnect { channel }
        | ToWorker::Close { channel, .. } => Some(*channel),
        _ => None,
    }
}
