//! What waits for an open socket: bounded in messages, bytes and time, in the order in which it came.

use std::collections::VecDeque;

use onesocket_protocol::{Millis, Payload, QueueLimits, SendFailure, SendId};

use super::Member;
use crate::Time;

#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) member: Member,
    pub(crate) id: SendId,
    pub(crate) payload: Payload,
    since: Time,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: VecDeque<Queued>,
    bytes: usize,
}

impl Queue {
    pub(crate) fn push(
        &mut self,
        now: Time,
        limits: &QueueLimits,
        member: Member,
        id: SendId,
        payload: Payload,
    ) -> Result<(), SendFailure> {
        let over_count = self.entries.len() >= limits.messages as usize;
        let over_bytes = self.bytes + payload.len() > limits.bytes as usize;
        if over_count || over_bytes {
            return Err(SendFailure::QueueFull {
                messages: self.messages(),
                bytes: self.bytes(),
            });
        }
        self.bytes += payload.len();
        self.entries.push_back(Queued {
            member,
            id,
            payload,
            since: now,
        });
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Option<Queued> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.payload.len();
        Some(entry)
    }

    /// Takes the oldest entry if its time is over. All entries may wait equally long, so the oldest is the first to expire.
    pub(crate) fn pop_expired(&mut self, now: Time, timeout: Option<Millis>) -> Option<Queued> {
        self.next_expiry(timeout).filter(|at| *at <= now)?;
        self.pop()
    }

    pub(crate) fn next_expiry(&self, timeout: Option<Millis>) -> Option<Time> {
        Some(self.entries.front()?.since.after(timeout?))
    }

    /// Takes all entries of a member, oldest first.
    pub(crate) fn remove_member(&mut self, member: Member) -> Vec<Queued> {
        let (removed, kept): (Vec<_>, Vec<_>) = self
            .entries
            .drain(..)
            .partition(|entry| entry.member == member);
        self.entries = kept.into();
        self.bytes -= removed
            .iter()
            .map(|entry| entry.payload.len())
            .sum::<usize>();
        removed
    }

    pub(crate) fn messages(&self) -> u32 {
        self.entries.len() as u32
    }

    pub(crate) fn bytes(&self) -> u32 {
        self.bytes as u32
    }
}
