//! The ack clock: the first message leaves at once, the ones after it gather while it is in flight.
//!
//! No timer is involved. A lone message is never delayed, and a flood is cut into batches exactly as large as the receiver
//! is slow. The acknowledgement is also the flow control: what a receiver does not acknowledge stays here, bounded.

use std::collections::BTreeMap;

use crate::{
    BatchHeader, ChannelId, Epoch, Version,
    frame::HEADER_BYTES,
    limits,
    message::{Encode, ToTab},
};

/// What waits to be posted to one peer, either way.
#[derive(Debug)]
pub struct Outbox {
    epoch: Epoch,
    version: Version,
    /// The batch that is being filled; always starts with room for its header.
    filling: Batch,
    /// Full batches in front of `filling`. Empty unless the peer is slow.
    full: std::collections::VecDeque<Batch>,
    /// The batch that was handed out last; its memory is used again.
    posted: Vec<u8>,
    seq: u64,
    acked: u64,
    received: u64,
    ack_due: bool,
    backlog: usize,
    missed: BTreeMap<ChannelId, u64>,
}

impl Outbox {
    /// Makes an outbox towards a peer of this version, in this run of the worker.
    #[must_use]
    pub fn new(epoch: Epoch, version: Version) -> Self {
        Self {
            epoch,
            version,
            filling: Batch::new(Vec::new()),
            full: std::collections::VecDeque::new(),
            posted: Vec::new(),
            seq: 0,
            acked: 0,
            received: 0,
            ack_due: false,
            backlog: 0,
            missed: BTreeMap::new(),
        }
    }

    /// Appends a message.
    pub fn push(&mut self, message: &impl Encode) {
        if self.filling.is_full() {
            let full = core::mem::replace(&mut self.filling, Batch::new(Vec::new()));
            self.full.push_back(full);
        }
        self.backlog += self.filling.push(message);
    }

    /// Appends a message for a tab, unless it is one that may be dropped and the tab has too much waiting already: then it
    /// is counted, and [`ToTab::Lagged`] tells the tab, in its place, how many it has missed.
    pub fn push_to_tab(&mut self, message: &ToTab) {
        if let ToTab::Message { channel, .. } = message {
            if self.backlog > limits::MAX_BACKLOG_BYTES || !self.missed.is_empty() {
                *self.missed.entry(*channel).or_default() += 1;
                return;
            }
        }
        self.push(message);
    }

    /// Notes a batch of the peer: its sequence number is to be acknowledged, its acknowledgement opens the way for ours.
    pub fn on_batch(&mut self, header: BatchHeader) {
        if header.seq > self.received {
            self.received = header.seq;
            self.ack_due = true;
        }
        // A peer that acknowledges what was never sent is not believed.
        if header.ack > self.acked && header.ack <= self.seq {
            self.acked = header.ack;
            if self.full.is_empty() && self.filling.is_empty() {
                self.report_missed();
            }
        }
    }

    /// Returns the next frame to post, if one is due: a batch when none is in flight, else a bare acknowledgement when one
    /// is owed.
    ///
    /// Call it after everything at hand is processed, until it returns `None`. The bytes are only borrowed: posting copies
    /// them out of wasm memory anyway.
    pub fn poll_frame(&mut self) -> Option<&[u8]> {
        let free = self.acked == self.seq;
        let has_messages = !self.filling.is_empty() || !self.full.is_empty();
        if free && has_messages {
            let spare = core::mem::take(&mut self.posted);
            let batch = match self.full.pop_front() {
                Some(batch) => batch,
                None => core::mem::replace(&mut self.filling, Batch::new(spare)),
            };
            self.backlog -= batch.bytes.len() - HEADER_BYTES;
            self.seq += 1;
            self.posted = self.seal(batch, self.seq);
        } else if self.ack_due {
            let spare = core::mem::take(&mut self.posted);
            self.posted = self.seal(Batch::new(spare), 0);
        } else {
            return None;
        }
        self.ack_due = false;
        Some(&self.posted)
    }

    /// Returns the bytes that wait behind the batch in flight.
    #[must_use]
    pub fn backlog_bytes(&self) -> usize {
        self.backlog
    }

    /// Returns whether everything pushed has been posted and acknowledged.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.acked == self.seq && self.backlog == 0
    }

    fn seal(&self, mut batch: Batch, seq: u64) -> Vec<u8> {
        let header = BatchHeader {
            version: self.version.number(),
            epoch: self.epoch,
            seq,
            ack: self.received,
            count: batch.count,
        };
        header.write_to(&mut batch.bytes);
        batch.bytes
    }

    fn report_missed(&mut self) {
        for (channel, missed) in core::mem::take(&mut self.missed) {
            self.push(&ToTab::Lagged { channel, missed });
        }
    }
}

#[derive(Debug)]
struct Batch {
    bytes: Vec<u8>,
    count: u32,
}

impl Batch {
    fn new(mut memory: Vec<u8>) -> Self {
        // A burst must not pin its memory for ever.
        if memory.capacity() > 4 * limits::FULL_BATCH_BYTES {
            memory = Vec::new();
        }
        memory.clear();
        memory.resize(HEADER_BYTES, 0);
        Self { bytes: memory, count: 0 }
    }

    fn push(&mut self, message: &impl Encode) -> usize {
        let before = self.bytes.len();
        message.encode(&mut self.bytes);
        self.count += 1;
        self.bytes.len() - before
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= limits::FULL_BATCH_BYTES || self.count >= limits::MAX_BATCH_MESSAGES
    }
}
