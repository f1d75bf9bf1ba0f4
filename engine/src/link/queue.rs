//! What waits for an open socket, or for the server's acknowledgement: bounded in messages, bytes and time, in the order in which it came.

use onesocket_protocol::{Millis, Payload, QueueLimits, SendFailure, SendId};

use super::Member;
use crate::{Fifo, Time};

#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) member: Member,
    pub(crate) id: SendId,
    pub(crate) payload: Payload,
    /// Whether it is kept until it is acknowledged.
    pub(crate) keep: bool,
    pub(crate) since: Time,
}

/// Both parts are bounded together: either is memory that the app's sends hold.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: Fifo<Queued>,
    bytes: usize,
    /// Handed to a socket, this one or an earlier, and not acknowledged by the server. Each of them is older than whatever of
    /// its sender is in `entries`.
    kept: Fifo<Queued>,
    kept_bytes: usize,
}

impl Queue {
    /// Takes a send that waits for a socket.
    pub(crate) fn push(&mut self, limits: &QueueLimits, entry: Queued) -> Result<(), SendFailure> {
        let entry = self.admit(limits, entry)?;
        self.bytes += entry.payload.len();
        self.entries.push(entry);
        Ok(())
    }

    /// Keeps a send that is handed to the socket now.
    pub(crate) fn keep(&mut self, limits: &QueueLimits, entry: Queued) -> Result<(), SendFailure> {
        let entry = self.admit(limits, entry)?;
        self.push_kept(entry);
        Ok(())
    }

    fn admit(&self, limits: &QueueLimits, mut entry: Queued) -> Result<Queued, SendFailure> {
        let messages = self.entries.len() + self.kept.len();
        let bytes = self.bytes + self.kept_bytes;
        let over_count = messages >= limits.messages as usize;
        let over_bytes = bytes + entry.payload.len() > limits.bytes as usize;
        if over_count || over_bytes {
            return Err(SendFailure::QueueFull {
                messages: messages as u32,
                bytes: bytes as u32,
            });
        }
        // It may wait for long, and what it came in is bounded by nothing here.
        entry.payload = entry.payload.detached();
        Ok(entry)
    }

    fn push_kept(&mut self, entry: Queued) {
        self.kept_bytes += entry.payload.len();
        self.kept.push(entry);
    }

    /// Takes the oldest entry to hand it to the socket; one that is to be kept is kept.
    pub(crate) fn pop(&mut self) -> Option<Queued> {
        let entry = self.take_oldest()?;
        if entry.keep {
            self.push_kept(entry.clone());
        }
        Some(entry)
    }

    /// Hands what was handed to an earlier socket to the new one, oldest first.
    pub(crate) fn hand_kept(&mut self, mut hand: impl FnMut(Payload)) {
        for entry in self.kept.iter() {
            hand(entry.payload.clone());
        }
        self.unkeep(&|entry| !entry.keep);
    }

    /// The server has it.
    pub(crate) fn acknowledge(&mut self, member: Member, id: SendId) {
        let is_it = |entry: &Queued| entry.member == member && entry.id == id;
        if let Some(entry) = self.kept.take(is_it) {
            self.kept_bytes -= entry.payload.len();
        } else if let Some(entry) = self.entries.take(is_it) {
            // A run of the worker before this one had handed it over.
            self.bytes -= entry.payload.len();
        }
    }

    fn take_oldest(&mut self) -> Option<Queued> {
        let entry = self.entries.pop()?;
        self.bytes -= entry.payload.len();
        Some(entry)
    }

    fn take_oldest_kept(&mut self) -> Option<Queued> {
        let entry = self.kept.pop()?;
        self.kept_bytes -= entry.payload.len();
        Some(entry)
    }

    /// Takes everything, kept or not.
    pub(crate) fn take(&mut self) -> Option<Queued> {
        self.take_oldest_kept().or_else(|| self.take_oldest())
    }

    /// Takes an entry whose time is over. All may wait equally long, so the oldest of each part is the first to expire.
    pub(crate) fn pop_expired(&mut self, now: Time, timeout: Option<Millis>) -> Option<Queued> {
        let is_due = |entry: Option<&Queued>| expiry(entry, timeout).is_some_and(|at| at <= now);
        if is_due(self.kept.front()) {
            self.take_oldest_kept()
        } else if is_due(self.entries.front()) {
            self.take_oldest()
        } else {
            None
        }
    }

    /// For how long the oldest entry has been here.
    pub(crate) fn age(&self, now: Time) -> Millis {
        let oldest = self.kept.front().or_else(|| self.entries.front());
        oldest.map_or(Millis(0), |entry| now.since(entry.since))
    }

    pub(crate) fn next_expiry(&self, timeout: Option<Millis>) -> Option<Time> {
        let kept = expiry(self.kept.front(), timeout);
        let waiting = expiry(self.entries.front(), timeout);
        kept.into_iter().chain(waiting).min()
    }

    /// Takes all entries of a member that wait, oldest first, and drops what is kept of it: the tab keeps that too.
    pub(crate) fn remove_member(&mut self, member: Member) -> Vec<Queued> {
        self.drop_kept(member);
        let removed = self.entries.take_all(&|entry| entry.member == member);
        self.bytes -= total(&removed);
        removed
    }

    /// Drops what is kept of a member.
    pub(crate) fn drop_kept(&mut self, member: Member) {
        self.unkeep(&|entry| entry.member == member);
    }

    fn unkeep(&mut self, is_it: &dyn Fn(&Queued) -> bool) {
        self.kept_bytes -= total(&self.kept.take_all(is_it));
    }

    /// Keeps what is kept of a member for one more socket only, and what waits not at all.
    pub(crate) fn release_kept(&mut self, member: Member) {
        for entry in self.kept.iter_mut().chain(self.entries.iter_mut()) {
            entry.keep &= entry.member != member;
        }
    }

    /// How many wait for a socket.
    pub(crate) fn messages(&self) -> u32 {
        self.entries.len() as u32
    }

    /// The bytes of those.
    pub(crate) fn bytes(&self) -> u32 {
        self.bytes as u32
    }
}

fn expiry(entry: Option<&Queued>, timeout: Option<Millis>) -> Option<Time> {
    Some(entry?.since.after(timeout?))
}

fn total(entries: &[Queued]) -> usize {
    entries.iter().map(|entry| entry.payload.len()).sum()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use onesocket_protocol::ChannelId;

    use super::*;
    use crate::PortId;

    #[test]
    fn what_is_queued_or_kept_does_not_hold_the_frame_that_it_came_in() {
        let frame = Bytes::from(vec![b'x'; 1_000]);
        let mut queue = Queue::default();
        let limits = QueueLimits::default();
        for (number, take) in [Queue::push, Queue::keep].into_iter().enumerate() {
            let member = Member {
                port: PortId(1),
                channel: ChannelId(1),
            };
            let entry = Queued {
                member,
                id: SendId(number as u64 + 1),
                payload: Payload::binary(frame.slice(..5)),
                keep: number == 1,
                since: Time(0),
            };
            assert_eq!(take(&mut queue, &limits, entry), Ok(()));
        }
        assert!(frame.is_unique());
        assert_eq!((queue.bytes, queue.kept_bytes), (5, 5));
    }
}
