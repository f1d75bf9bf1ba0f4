//! The ack clock: the first message leaves at once, the ones after it gather while it is in flight.
//!
//! No timer is involved. A lone message is never delayed, and a flood is cut into batches exactly as large as the receiver
//! is slow. The acknowledgement is also the flow control: what a receiver does not acknowledge stays here, bounded.
//!
//! ```
//! use onesocket_protocol::{BatchReader, Epoch, Outbox, ToWorker, Version};
//!
//! let (mut ours, mut theirs) = (Outbox::new(Epoch(7), Version::V1), Outbox::new(Epoch(7), Version::V1));
//! let header = |frame: &[u8]| BatchReader::new(&bytes::Bytes::copy_from_slice(frame)).map(|batch| batch.header());
//!
//! ours.push(&ToWorker::Ping { nonce: 1 });
//! let first = header(ours.poll_frame().expect("the first message leaves at once"))?;
//! ours.push(&ToWorker::Ping { nonce: 2 });
//! ours.push(&ToWorker::Ping { nonce: 3 });
//! assert_eq!(ours.poll_frame(), None); // They gather while the first is in flight.
//!
//! theirs.on_batch(first)?;
//! let ack = header(theirs.poll_frame().expect("an acknowledgement is owed"))?;
//! assert_eq!((ack.seq, ack.ack), (0, 1));
//! ours.on_batch(ack)?;
//! let second = header(ours.poll_frame().expect("nothing is in flight any more"))?;
//! assert_eq!((second.seq, second.count), (2, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::Bytes;

use crate::{
    BatchHeader, ChannelId, Epoch, FrameError, LogEntry, Packed, Parcel, Payload, SendId, Version,
    frame::{HEADER_BYTES, MESSAGE_HEADER_BYTES},
    limits,
    log::kind,
    message::{Delivered, Encode, ToTab},
    parcel::Enclosed,
};

/// What waits to be posted to one peer, either way, and what is to be acknowledged to it.
///
/// It lives as long as what was agreed on in a hello and its welcome; after the next welcome both sides start with a new one.
#[derive(Debug)]
pub struct Outbox {
    epoch: Epoch,
    version: Version,
    /// The batch that is being filled; always starts with room for its header.
    filling: Batch,
    /// Full batches in front of `filling`. Empty unless the peer is slow.
    full: Vec<Batch>,
    /// The batch that was handed out last; its memory is used again.
    posted: Vec<u8>,
    /// What belongs into it.
    enclosed: Vec<Enclosed>,
    seq: u64,
    /// Up to this one batches wait for no acknowledgement.
    opening: u64,
    acked: u64,
    received: u64,
    /// Up to where the peer has been told that its batches are taken.
    told: u64,
    ack_due: bool,
    /// Whether the peer is not to be told of more.
    is_withholding: bool,
    /// Whether what is owed may leave as a receipt without a number.
    is_light: bool,
    backlog: usize,
    /// Above it messages are dropped.
    backlog_cap: usize,
    lag: Option<Lag>,
    /// Bytes of the backlog that must not be dropped.
    kept: usize,
    /// Receipts that are in no posted frame yet: up to where sends have been handed to a socket.
    handed: Vec<(ChannelId, SendId)>,
    /// Up to where sends are about to be handed to a socket, and the tab does not know.
    announced: Vec<(ChannelId, SendId)>,
}

impl Outbox {
    /// Makes an outbox towards a peer of this version, in this run of the worker.
    #[must_use]
    pub fn new(epoch: Epoch, version: Version) -> Self {
        Self {
            epoch,
            version,
            filling: Batch::new(Vec::new()),
            full: Vec::new(),
            posted: Vec::new(),
            enclosed: Vec::new(),
            seq: 0,
            opening: 0,
            acked: 0,
            received: 0,
            told: 0,
            ack_due: false,
            is_withholding: false,
            is_light: false,
            backlog: 0,
            backlog_cap: limits::MAX_BACKLOG_BYTES,
            lag: None,
            kept: 0,
            handed: Vec::new(),
            announced: Vec::new(),
        }
    }

    /// Lets the first `batches` leave whether or not the one before is acknowledged: what opens a session is small, and behind it the peer's first
    /// message need not wait until its news of the session have come and gone.
    #[must_use]
    pub fn with_opening(mut self, batches: u32) -> Self {
        self.opening = batches.into();
        self
    }

    /// Appends a message. It must pass [`Encode::check`], else the other side will not take it.
    ///
    /// Nothing bounds what waits here but the caller; see [`backlog_bytes`](Self::backlog_bytes), and
    /// [`push_to_tab`](Self::push_to_tab) for the way in which nobody can be asked to wait.
    pub fn push(&mut self, message: &impl Encode) {
        self.append(message);
    }

    fn append(&mut self, message: &impl Encode) -> usize {
        if self.filling.is_full() {
            self.begin_batch();
        }
        let bytes = self.filling.push(self.version, message);
        self.backlog += bytes;
        bytes
    }

    #[inline(never)]
    fn begin_batch(&mut self) {
        let full = core::mem::replace(&mut self.filling, Batch::new(Vec::new()));
        self.full.push(full);
    }

    /// Says how much may wait for the tab, in place of [`limits::MAX_BACKLOG_BYTES`], before messages are dropped.
    pub fn set_backlog_cap(&mut self, bytes: usize) {
        self.backlog_cap = bytes;
    }

    /// Appends a message for a tab, unless more than [`limits::MAX_BACKLOG_BYTES`] wait for the tab already and the message is
    /// one that may be dropped: a [`ToTab::Message`], a [`ToTab::Packed`] or a [`ToTab::Log`].
    ///
    /// What is dropped is counted, and a [`ToTab::Lagged`] tells the tab how many messages a channel has missed: behind what
    /// the channel was told before, in front of what it is told next. Dropping ends when half of the backlog is gone.
    pub fn push_to_tab(&mut self, message: &ToTab) {
        if let ToTab::Message {
            channel,
            replayed,
            payload,
        } = message
        {
            return self.push_delivered(&Delivered {
                channel: *channel,
                replayed: *replayed,
                payload,
            });
        }
        if let ToTab::Packed { channel, packed } = message {
            return self.push_packed(*channel, packed);
        }
        if let Some(lag) = self.lag() {
            if let ToTab::Log(_) = message {
                lag.log_lines = lag.log_lines.saturating_add(1);
                return;
            }
            if let Some(lagged) = message.channel().and_then(|channel| lag.take(channel)) {
                self.push(&lagged);
            }
        }
        if let ToTab::Sent { channel, through } = message {
            raise(&mut self.handed, *channel, *through);
        }
        let bytes = self.append(message);
        if let ToTab::Sent { .. } = message {
            self.filling.receipts += 1;
        }
        if !matches!(message, ToTab::Log(_)) {
            self.filling.kept += bytes;
            self.kept += bytes;
        }
    }

    /// As [`push_to_tab`](Self::push_to_tab) does, appends a message of the server.
    pub fn push_delivered(&mut self, delivered: &Delivered<'_>) {
        match self.lag() {
            Some(lag) => lag.count_messages(delivered.channel, 1),
            None => drop(self.append(delivered)),
        }
    }

    /// As [`push_to_tab`](Self::push_to_tab) does, appends messages of the server. They are dropped, if they are, together.
    pub fn push_packed(&mut self, channel: ChannelId, packed: &Packed) {
        if let Some(lag) = self.lag() {
            return lag.count_messages(channel, packed.count());
        }
        // A reader may have no room for more than a batch's messages.
        let messages = self.filling.messages().saturating_add(packed.count());
        if messages > limits::MAX_BATCH_MESSAGES && !self.filling.is_empty() {
            self.begin_batch();
        }
        self.append(&ToTab::Packed {
            channel,
            packed: packed.clone(),
        });
        let batch = &mut self.filling;
        let more = packed.count().saturating_sub(1);
        batch.packed = batch.packed.saturating_add(more);
    }

    /// Appends a message of the server that stays out of this memory. It counts, and is dropped, by its length, and comes out as one of the
    /// [`enclosed`](Self::enclosed) of its frame.
    pub fn push_parcel(&mut self, channel: ChannelId, parcel: &Parcel) {
        if let Some(lag) = self.lag() {
            return lag.count_messages(channel, 1);
        }
        let front = Delivered {
            channel,
            replayed: false,
            payload: &Payload::binary(Bytes::new()),
        };
        let bytes = self.append(&front);
        self.filling.enclose(parcel, bytes);
        self.backlog += parcel.len();
    }

    /// What the tab has missed, if it misses what is appended now and may be dropped.
    fn lag(&mut self) -> Option<&mut Lag> {
        if self.lag.is_none() && self.bytes_behind_next() > self.backlog_cap {
            self.lag = Some(Lag::default());
        }
        self.lag.as_mut()
    }

    /// Returns whether more waits for the tab than may wait, of what must not be dropped: answers, receipts, states. A tab that is
    /// frozen for days does not bring that about, one that asks and asks and never reads does.
    #[must_use]
    pub fn is_overrun(&self) -> bool {
        self.kept > limits::MAX_BACKLOG_BYTES
    }

    /// Notes that sends which wait in the worker, up to this one, are about to be handed to a socket. The tab is told by a
    /// [`ToTab::Mark`] in the next frame, which leaves at once, whatever is in flight: see
    /// [`prepare_announcement`](Self::prepare_announcement).
    ///
    /// Sends of the batch that is being read need no announcement: the frame that acknowledges it says what became of them, by
    /// a receipt or a mark.
    pub fn announce(&mut self, channel: ChannelId, through: SendId) {
        raise(&mut self.announced, channel, through);
    }

    /// Makes the frame that announces, if one is due, and says whether one was. Post it before anything that was announced is
    /// handed to a socket: a worker that dies in between must not have done what the tab takes for undone.
    ///
    /// It acknowledges nothing, so it may be posted on a second way too, on which it may be read before what was posted earlier, and alone.
    pub fn prepare_announcement(&mut self) -> bool {
        let is_due = !self.announced.is_empty();
        if is_due {
            let announced = core::mem::take(&mut self.announced);
            self.prepare_unnumbered(announced, 0);
        }
        is_due
    }

    /// Takes the header of a batch of the peer, before its messages: its sequence number is to be acknowledged, its
    /// acknowledgement opens the way for ours. An acknowledgement of what was never posted is not believed.
    ///
    /// # Errors
    ///
    /// When the batch is of another epoch or version, or not the one that comes next. Then nothing is noted, and its messages
    /// must not be read.
    pub fn on_batch(&mut self, header: BatchHeader) -> Result<(), FrameError> {
        self.check_header(header)?;
        if header.seq != 0 {
            self.received = header.seq;
            self.ack_due = true;
            self.is_light = false;
        }
        if header.ack > self.acked && header.ack <= self.seq {
            self.acked = header.ack;
            // A burst must not pin its memory until there is something to post again.
            if self.posted.capacity() > MAX_SPARE_BYTES {
                self.posted = Vec::new();
            }
        }
        Ok(())
    }

    /// Lets receipts leave without a number, together with the acknowledgement that is owed for the batch that was taken last, when nothing
    /// else waits. The peer need not acknowledge them, and what comes up next need not wait until it has.
    ///
    /// Not for a batch that brings much: whoever has taken it wants to be woken once more, to see what has become of it.
    pub fn answer_lightly(&mut self) {
        self.is_light = true;
    }

    /// Puts off the acknowledgement of what was taken since the last one, or gives it with the next frame again: so whoever has not yet read what has
    /// come gets no more.
    pub fn withhold(&mut self, is_withholding: bool) {
        self.is_withholding = is_withholding;
    }

    /// Returns the next frame to post, if one is due: a batch when none is in flight, else a bare acknowledgement when one
    /// is owed.
    ///
    /// Call it after everything at hand is processed, until it returns `None`. The bytes are only borrowed: posting copies
    /// them out of wasm memory anyway.
    pub fn poll_frame(&mut self) -> Option<&[u8]> {
        if self.prepare_frame() {
            Some(self.prepared_frame())
        } else {
            None
        }
    }

    /// Makes the next frame, if one is due, and says whether one was. For callers whose borrows [`poll_frame`] is too long for.
    ///
    /// [`poll_frame`]: Self::poll_frame
    pub fn prepare_frame(&mut self) -> bool {
        let is_free = self.may_post();
        self.prepare(is_free)
    }

    /// Makes a bare acknowledgement, if one is owed, and says whether one was: what waits goes on waiting.
    pub fn prepare_acknowledgement(&mut self) -> bool {
        self.prepare(false)
    }

    /// Makes a frame of what waits although the one before is not acknowledged, and says whether something waited. Only for
    /// the last words of a page that goes.
    pub fn prepare_last_frame(&mut self) -> bool {
        self.prepare(true)
    }

    fn prepare(&mut self, is_free: bool) -> bool {
        self.enclosed.clear();
        let has_messages = !self.filling.is_empty() || !self.full.is_empty();
        let is_light = self.ack_due && self.is_light && self.has_only_receipts();
        if is_light || is_free && has_messages {
            // Every receipt is in a batch by now. When that is the next one, it says all that a mark can say; else marks go
            // ahead of it, because it acknowledges.
            if !self.full.is_empty() && !self.handed.is_empty() {
                self.prepare_acknowledgement_and_marks();
                return true;
            }
            self.handed.clear();
            let batch = self.take_next();
            self.seq += u64::from(!is_light);
            let seq = if is_light { 0 } else { self.seq };
            let ack = self.acknowledge();
            self.seal(batch, seq, ack);
            self.end_lag();
        } else if self.ack_due && !self.is_withholding {
            self.prepare_acknowledgement_and_marks();
        } else {
            return false;
        }
        true
    }

    fn has_only_receipts(&self) -> bool {
        let Batch {
            count, receipts, ..
        } = self.filling;
        self.full.is_empty() && count > 0 && receipts == count
    }

    /// A bare acknowledgement, with what has to be known together with it.
    fn prepare_acknowledgement_and_marks(&mut self) {
        let handed = core::mem::take(&mut self.handed);
        let ack = self.acknowledge();
        self.prepare_unnumbered(handed, ack);
    }

    fn acknowledge(&mut self) -> u64 {
        if !self.is_withholding {
            self.told = self.received;
            self.ack_due = false;
        }
        self.told
    }

    fn prepare_unnumbered(&mut self, marks: Vec<(ChannelId, SendId)>, ack: u64) {
        let mut batch = Batch::new(core::mem::take(&mut self.posted));
        for (channel, through) in marks {
            batch.push(self.version, &ToTab::Mark { channel, through });
        }
        self.seal(batch, 0, ack);
    }

    /// Returns the frame that was made last, without the parcels that belong into it.
    #[must_use]
    pub fn prepared_frame(&self) -> &[u8] {
        &self.posted
    }

    /// Returns the parcels of the frame that was made last: none, unless some were pushed. They are let go of when the next frame is asked for.
    #[must_use]
    pub fn enclosed(&self) -> &[Enclosed] {
        &self.enclosed
    }

    /// Returns the sequence number of the batch that the message pushed last is in.
    #[must_use]
    pub fn last_pushed_seq(&self) -> u64 {
        self.seq + 1 + self.full.len() as u64
    }

    /// Returns the sequence number of the last batch that the peer has acknowledged; 0 when none.
    #[must_use]
    pub fn acked_seq(&self) -> u64 {
        self.acked
    }

    /// Returns the bytes that wait behind the batch in flight.
    #[must_use]
    pub fn backlog_bytes(&self) -> usize {
        self.backlog
    }

    /// Returns how many messages are in the batch that is posted next, each of those that are packed counted.
    #[must_use]
    pub fn next_messages(&self) -> u32 {
        self.full.first().unwrap_or(&self.filling).messages()
    }

    /// Returns whether what waits is known not to be waited for: messages and entries of the log, no receipt, answer or state.
    #[must_use]
    pub fn has_only_news(&self) -> bool {
        self.kept == 0
    }

    /// Returns whether the next batch may be posted: none is in flight, or it is one of the [opening](Self::with_opening).
    #[must_use]
    pub fn may_post(&self) -> bool {
        !self.is_in_flight() || self.seq < self.opening
    }

    /// Returns whether a batch is posted and not acknowledged.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        self.acked != self.seq
    }

    /// Returns whether everything pushed has been posted and acknowledged.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.is_in_flight() && self.backlog == 0
    }

    fn check_header(&self, header: BatchHeader) -> Result<(), FrameError> {
        let BatchHeader {
            version,
            epoch,
            seq,
            ..
        } = header;
        if epoch != self.epoch {
            return Err(FrameError::WrongEpoch {
                ours: self.epoch,
                theirs: epoch,
            });
        }
        if version != self.version.number() {
            return Err(FrameError::WrongVersion {
                ours: self.version.number(),
                theirs: version,
            });
        }
        let expected = self.received + 1;
        if seq != 0 && seq != expected {
            return Err(FrameError::OutOfSequence { expected, seq });
        }
        Ok(())
    }

    fn take_next(&mut self) -> Batch {
        let batch = if self.full.is_empty() {
            let spare = core::mem::take(&mut self.posted);
            core::mem::replace(&mut self.filling, Batch::new(spare))
        } else {
            self.full.remove(0)
        };
        self.backlog -= batch.body_bytes();
        self.kept -= batch.kept;
        batch
    }

    fn seal(&mut self, mut batch: Batch, seq: u64, ack: u64) {
        let header = BatchHeader {
            version: self.version.number(),
            epoch: self.epoch,
            seq,
            ack,
            count: batch.count,
        };
        header.write_to(&mut batch.bytes);
        self.posted = batch.bytes;
        self.enclosed = batch.enclosed;
    }

    fn bytes_behind_next(&self) -> usize {
        self.backlog - self.full.first().unwrap_or(&self.filling).body_bytes()
    }

    /// The backlog only shrinks when a batch is posted, so this is the one place to look.
    fn end_lag(&mut self) {
        if self.bytes_behind_next() > limits::MAX_BACKLOG_BYTES / 2 {
            return;
        }
        if let Some(lag) = self.lag.take() {
            for message in lag.into_messages() {
                self.push(&message);
            }
        }
    }
}

fn raise(marks: &mut Vec<(ChannelId, SendId)>, channel: ChannelId, through: SendId) {
    match marks.iter_mut().find(|(of, _)| *of == channel) {
        Some((_, mark)) => *mark = (*mark).max(through),
        None => marks.push((channel, through)),
    }
}

/// What was dropped since a tab began to lag, and has not been told to it yet.
#[derive(Debug, Default)]
struct Lag {
    /// Few, so they are searched: a tree would be a tenth of the worker's wasm.
    missed: Vec<(ChannelId, u64)>,
    log_lines: u32,
}

impl Lag {
    #[inline(never)]
    fn count_messages(&mut self, channel: ChannelId, count: u32) {
        let count = u64::from(count);
        match self.missed.iter_mut().find(|(of, _)| *of == channel) {
            Some((_, missed)) => *missed += count,
            None => self.missed.push((channel, count)),
        }
    }

    fn take(&mut self, channel: ChannelId) -> Option<ToTab> {
        let at = self.missed.iter().position(|(of, _)| *of == channel)?;
        let (channel, missed) = self.missed.remove(at);
        Some(ToTab::Lagged { channel, missed })
    }

    fn into_messages(self) -> impl Iterator<Item = ToTab> {
        let lines = (self.log_lines > 0).then(|| {
            ToTab::Log(LogEntry {
                len: self.log_lines,
                ..LogEntry::new(kind::DROPPED)
            })
        });
        let lagged = |(channel, missed)| ToTab::Lagged { channel, missed };
        self.missed.into_iter().map(lagged).chain(lines)
    }
}

#[derive(Debug)]
struct Batch {
    bytes: Vec<u8>,
    /// What is part of it and not among its bytes.
    enclosed: Vec<Enclosed>,
    enclosed_bytes: usize,
    count: u32,
    /// How many of them are [`ToTab::Sent`].
    receipts: u32,
    /// How many messages of the server are in those of them that are [`ToTab::Packed`], but for one in each.
    packed: u32,
    /// Bytes of messages that must not be dropped.
    kept: usize,
}

impl Batch {
    fn new(mut memory: Vec<u8>) -> Self {
        if memory.capacity() > MAX_SPARE_BYTES {
            memory = Vec::new();
        }
        memory.clear();
        memory.resize(HEADER_BYTES, 0);
        Self {
            bytes: memory,
            enclosed: Vec::new(),
            enclosed_bytes: 0,
            count: 0,
            receipts: 0,
            packed: 0,
            kept: 0,
        }
    }

    fn push(&mut self, version: Version, message: &impl Encode) -> usize {
        let before = self.bytes.len();
        message.encode(version, &mut self.bytes);
        self.count += 1;
        self.bytes.len() - before
    }

    /// Makes a parcel the payload of the last message, which has none and of which there are so many bytes. A payload is the tail of its message.
    fn enclose(&mut self, parcel: &Parcel, bytes: usize) {
        let at = self.bytes.len();
        let head = at - bytes..at - bytes + MESSAGE_HEADER_BYTES;
        if let Some([_, len @ ..]) = self.bytes.get_mut(head) {
            let body = bytes + parcel.len() - MESSAGE_HEADER_BYTES;
            len.copy_from_slice(&(body as u32).to_le_bytes());
        }
        let parcel = parcel.clone();
        self.enclosed_bytes += parcel.len();
        self.enclosed.push(Enclosed { at, parcel });
    }

    fn body_bytes(&self) -> usize {
        self.bytes.len() + self.enclosed_bytes - HEADER_BYTES
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many messages there are, each of those that are packed counted.
    fn messages(&self) -> u32 {
        self.count.saturating_add(self.packed)
    }

    fn is_full(&self) -> bool {
        self.bytes.len() + self.enclosed_bytes >= limits::FULL_BATCH_BYTES
            || self.messages() >= limits::MAX_BATCH_MESSAGES
    }
}

/// Memory that is worth keeping for the next batch.
const MAX_SPARE_BYTES: usize = 4 * limits::FULL_BATCH_BYTES;
