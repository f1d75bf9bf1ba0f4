//! The ack clock: two outboxes over a port that neither loses nor reorders.

use std::collections::VecDeque;

use bytes::Bytes;
use onesocket_protocol::{
    BatchHeader, BatchReader, ChannelId, Epoch, FrameError, Outbox, Payload, SendId, ToTab,
    ToWorker, Version, limits,
};
use proptest::{collection::vec, prelude::*};

use crate::decode_all;

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(usize),
    Poll(usize),
    Deliver(usize),
    Withhold(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..2_usize).prop_map(Step::Push),
        (0..2_usize).prop_map(Step::Poll),
        (0..2_usize).prop_map(Step::Deliver),
        (0..2_usize, any::<bool>())
            .prop_map(|(end, is_withholding)| Step::Withhold(end, is_withholding)),
    ]
}

/// One end, with what it has to do with the other.
struct End {
    outbox: Outbox,
    pushed: u32,
    received: Vec<u32>,
    /// Frames on their way to this end.
    inbox: VecDeque<Bytes>,
    /// The number of the last batch that was posted, and of the last one that is acknowledged.
    posted: u64,
    acked: u64,
    opening: u32,
}

impl End {
    fn new(opening: u32) -> Self {
        Self {
            outbox: outbox().with_opening(opening),
            pushed: 0,
            received: Vec::new(),
            inbox: VecDeque::new(),
            posted: 0,
            acked: 0,
            opening,
        }
    }

    fn push(&mut self) {
        self.pushed += 1;
        self.outbox.push(&ToWorker::Ping { nonce: self.pushed });
    }

    /// Returns what is posted, after a look at how much is in flight.
    fn poll(&mut self) -> Option<Bytes> {
        let frame = Bytes::copy_from_slice(self.outbox.poll_frame()?);
        let header = header(&frame);
        assert_eq!(header.seq == 0, header.count == 0);
        if header.seq != 0 {
            let is_free = self.acked == self.posted || header.seq <= self.opening.into();
            assert!(is_free, "more than one batch in flight");
            self.posted = header.seq;
        }
        Some(frame)
    }

    fn deliver(&mut self) -> bool {
        let Some(frame) = self.inbox.pop_front() else {
            return false;
        };
        let batch = BatchReader::new(&frame).expect("a batch");
        self.outbox
            .on_batch(batch.header())
            .expect("the batch that comes next");
        self.acked = self.acked.max(batch.header().ack);
        self.received.extend(decode_all(batch).iter().map(nonce));
        true
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_reordered(steps in vec(step(), 0..200), opening in 0..6_u32) {
        let mut ends = [End::new(0), End::new(opening)];
        for step in steps {
            take(&mut ends, step);
        }
        ends.iter_mut().for_each(|end| end.outbox.withhold(false));
        let mut frames = 0;
        while settle(&mut ends) {
            frames += 1;
            prop_assert!(frames < 1_000, "the two acknowledge each other for ever");
        }
        for (this, other) in [(0, 1), (1, 0)] {
            let expected: Vec<_> = (1..=ends[other].pushed).collect();
            prop_assert_eq!(&ends[this].received, &expected);
            prop_assert!(ends[this].outbox.is_idle());
            prop_assert_eq!(ends[this].outbox.backlog_bytes(), 0);
        }
    }

    #[test]
    fn a_forged_header_is_not_believed(seq: u64, ack: u64, version: u16, epoch: u64) {
        let mut outbox = outbox();
        outbox.push(&ToWorker::Ping { nonce: 1 });
        prop_assert!(outbox.poll_frame().is_some());
        outbox.push(&ToWorker::Ping { nonce: 2 });
        let (epochs, versions) = ([EPOCH, Epoch(epoch)], [1, version]);
        for (epoch, version) in epochs.into_iter().zip(versions) {
            let header = BatchHeader { version, epoch, seq, ack, count: 1 };
            prop_assume!(seq > 1 && ack != 1);
            prop_assert!(outbox.on_batch(header).is_err());
            prop_assert_eq!(outbox.poll_frame(), None);
            outbox.on_batch(BatchHeader { version: 1, epoch: EPOCH, seq: 0, ack, count: 0 }).ok();
            prop_assert_eq!(outbox.poll_frame(), None);
        }
    }
}

#[test]
fn a_lone_message_leaves_at_once_and_the_ones_behind_it_gather() {
    let mut outbox = outbox();
    for round in 0..3 {
        outbox.push(&ToWorker::Bye);
        let first = header(&Bytes::copy_from_slice(
            outbox.poll_frame().expect("at once"),
        ));
        assert_eq!((first.seq, first.count), (2 * round + 1, 1));
        for _ in 0..100 {
            outbox.push(&ToWorker::Bye);
            assert_eq!(outbox.poll_frame(), None);
        }
        outbox.on_batch(ack(first.seq)).expect("an acknowledgement");
        let second = header(&Bytes::copy_from_slice(
            outbox.poll_frame().expect("acknowledged"),
        ));
        assert_eq!((second.seq, second.count), (2 * round + 2, 100));
        outbox
            .on_batch(ack(second.seq))
            .expect("an acknowledgement");
        assert!(outbox.is_idle());
        assert_eq!(outbox.poll_frame(), None);
    }
}

#[test]
fn the_opening_waits_for_no_acknowledgement_and_what_is_behind_it_for_all() {
    let mut outbox = outbox().with_opening(3);
    for seq in 1..=3 {
        outbox.push(&ToWorker::Bye);
        assert_eq!(poll(&mut outbox), (seq, 0, 1));
    }
    outbox.push(&ToWorker::Bye);
    for seq in 1..=2 {
        outbox.on_batch(ack(seq)).expect("an acknowledgement");
        assert_eq!(outbox.poll_frame(), None, "two are acknowledged of three");
    }
    outbox.push(&ToWorker::Bye);
    outbox.on_batch(ack(3)).expect("an acknowledgement");
    assert_eq!(poll(&mut outbox), (4, 0, 2));
    outbox.push(&ToWorker::Bye);
    assert_eq!(outbox.poll_frame(), None, "the opening is over");
}

#[test]
fn an_acknowledgement_rides_on_a_batch_that_leaves_anyway() {
    let mut outbox = outbox();
    outbox.on_batch(batch(1)).expect("the first batch");
    outbox.push(&ToWorker::Bye);
    let header = header(&Bytes::copy_from_slice(
        outbox.poll_frame().expect("a batch"),
    ));
    assert_eq!((header.seq, header.ack, header.count), (1, 1, 1));
    assert_eq!(outbox.poll_frame(), None);
}

#[test]
fn an_acknowledgement_leaves_alone_when_a_batch_is_in_flight() {
    let mut outbox = outbox();
    outbox.push(&ToWorker::Bye);
    assert!(outbox.poll_frame().is_some());
    outbox.push(&ToWorker::Bye);
    outbox.on_batch(batch(1)).expect("the first batch");
    let header = header(&Bytes::copy_from_slice(
        outbox.poll_frame().expect("an acknowledgement"),
    ));
    assert_eq!((header.seq, header.ack, header.count), (0, 1, 0));
    assert_eq!(outbox.poll_frame(), None);
}

#[test]
fn an_acknowledgement_is_not_acknowledged() {
    let mut outbox = outbox();
    outbox.push(&ToWorker::Bye);
    assert!(outbox.poll_frame().is_some());
    outbox.on_batch(ack(1)).expect("an acknowledgement");
    assert_eq!(outbox.poll_frame(), None);
}

#[test]
fn who_has_not_read_what_came_acknowledges_nothing() {
    let mut outbox = outbox();
    outbox.on_batch(batch(1)).expect("the first batch");
    assert_eq!(poll(&mut outbox), (0, 1, 0));
    outbox.on_batch(batch(2)).expect("the second batch");
    outbox.withhold(true);
    assert_eq!(outbox.poll_frame(), None);
    outbox.push(&ToWorker::Bye);
    assert_eq!(
        poll(&mut outbox),
        (1, 1, 1),
        "what it says leaves all the same"
    );
    outbox.on_batch(batch(3)).expect("one of the opening");
    assert_eq!(outbox.poll_frame(), None);
    outbox.withhold(false);
    assert_eq!(poll(&mut outbox), (0, 3, 0));
    assert_eq!(outbox.poll_frame(), None);
}

#[test]
fn a_receipt_alone_leaves_without_a_number() {
    let mut outbox = outbox();
    for round in 1..=3 {
        outbox.on_batch(batch(round)).expect("the next batch");
        outbox.answer_lightly();
        outbox.push_to_tab(&receipt(1, round));
        outbox.push_to_tab(&receipt(2, round));
        assert_eq!(poll(&mut outbox), (0, round, 2));
        assert_eq!(outbox.poll_frame(), None);
        assert!(outbox.is_idle(), "nothing is to be acknowledged");
    }
    outbox.push_to_tab(&pong());
    assert_eq!(poll(&mut outbox), (1, 3, 1));
}

#[test]
fn a_receipt_alone_does_not_wait_for_the_batch_in_flight() {
    let mut outbox = outbox();
    outbox.push_to_tab(&pong());
    assert_eq!(poll(&mut outbox), (1, 0, 1));
    outbox.on_batch(batch(1)).expect("the first batch");
    outbox.answer_lightly();
    outbox.push_to_tab(&receipt(1, 1));
    assert_eq!(poll(&mut outbox), (0, 1, 1));
    outbox.push_to_tab(&pong());
    assert_eq!(outbox.poll_frame(), None);
    outbox.on_batch(ack(1)).expect("an acknowledgement");
    assert_eq!(poll(&mut outbox), (2, 1, 1));
}

/// What comes behind a receipt must not be read in front of it, nor the other way round.
#[test]
fn a_receipt_beside_anything_else_is_in_its_batch() {
    for receipt_first in [true, false] {
        let mut outbox = outbox();
        outbox.on_batch(batch(1)).expect("the first batch");
        outbox.answer_lightly();
        let messages = [receipt(1, 1), pong()];
        for at in 0..2 {
            outbox.push_to_tab(&messages[usize::from(receipt_first) ^ at ^ 1]);
        }
        assert_eq!(poll(&mut outbox), (1, 1, 2));
        assert_eq!(outbox.poll_frame(), None);
    }
}

/// They come of what waited in the worker, which is no answer to a batch.
#[test]
fn a_receipt_that_comes_by_itself_has_a_number() {
    let mut outbox = outbox();
    outbox.on_batch(batch(1)).expect("the first batch");
    outbox.answer_lightly();
    assert_eq!(poll(&mut outbox), (0, 1, 0));
    outbox.push_to_tab(&receipt(1, 1));
    assert_eq!(poll(&mut outbox), (1, 1, 1));
}

#[test]
fn only_the_batch_that_was_taken_last_is_answered_lightly() {
    let mut outbox = outbox();
    outbox.on_batch(batch(1)).expect("the first batch");
    outbox.answer_lightly();
    outbox.on_batch(batch(2)).expect("the second batch");
    outbox.push_to_tab(&receipt(1, 2));
    assert_eq!(poll(&mut outbox), (1, 2, 1));
}

/// It may be read in front of what says what became of the sends that it would acknowledge.
#[test]
fn an_announcement_acknowledges_nothing() {
    let mut outbox = outbox();
    outbox.on_batch(batch(1)).expect("the first batch");
    outbox.announce(ChannelId(1), SendId(3));
    assert!(outbox.prepare_announcement());
    let frame = Bytes::copy_from_slice(outbox.prepared_frame());
    let header = header(&frame);
    assert_eq!((header.seq, header.ack, header.count), (0, 0, 1));
    assert!(!outbox.prepare_announcement());
    assert_eq!(poll(&mut outbox), (0, 1, 0), "it is still owed");
}

#[test]
fn the_last_words_do_not_wait_for_an_acknowledgement() {
    let mut outbox = outbox();
    for seq in 1..=2 {
        outbox.push(&ToWorker::Bye);
        assert!(outbox.prepare_last_frame());
        assert_eq!(
            header(&Bytes::copy_from_slice(outbox.prepared_frame())).seq,
            seq
        );
    }
    assert!(!outbox.prepare_last_frame());
}

#[test]
fn a_batch_that_is_not_the_next_one_is_refused_and_changes_nothing() {
    let mut outbox = outbox();
    outbox.on_batch(batch(1)).expect("the first batch");
    assert!(outbox.poll_frame().is_some());
    for seq in [1, 3, u64::MAX] {
        let error = FrameError::OutOfSequence { expected: 2, seq };
        assert_eq!(outbox.on_batch(batch(seq)), Err(error));
        assert_eq!(outbox.poll_frame(), None);
    }
    let of_another_run = BatchHeader {
        epoch: Epoch(8),
        ..batch(2)
    };
    let error = FrameError::WrongEpoch {
        ours: EPOCH,
        theirs: Epoch(8),
    };
    assert_eq!(outbox.on_batch(of_another_run), Err(error));
    let of_another_version = BatchHeader {
        version: 2,
        ..batch(2)
    };
    let error = FrameError::WrongVersion { ours: 1, theirs: 2 };
    assert_eq!(outbox.on_batch(of_another_version), Err(error));
    assert_eq!(outbox.on_batch(batch(2)), Ok(()));
}

#[test]
fn full_batches_keep_their_order_and_leave_one_by_one() {
    let mut outbox = outbox();
    let send = |nonce: u8| ToWorker::Send {
        channel: ChannelId(1),
        id: SendId(1),
        keep: false,
        payload: Payload::binary(vec![nonce; limits::FULL_BATCH_BYTES / 2 + 1]),
    };
    let sent: Vec<_> = (0..9).map(send).collect();
    for message in &sent {
        outbox.push(message);
    }
    let mut received = Vec::new();
    for seq in 1..=5 {
        let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("acknowledged"));
        assert_eq!(outbox.poll_frame(), None);
        received.extend(decode_all::<ToWorker>(
            BatchReader::new(&frame).expect("a batch"),
        ));
        outbox.on_batch(ack(seq)).expect("an acknowledgement");
    }
    assert_eq!(received, sent);
    assert!(outbox.is_idle());
}

const EPOCH: Epoch = Epoch(7);

fn take(ends: &mut [End; 2], step: Step) {
    match step {
        Step::Push(end) => {
            let was_idle = ends[end].outbox.is_idle();
            ends[end].push();
            if was_idle {
                let frame = ends[end].poll().expect("a lone message leaves at once");
                ends[1 - end].inbox.push_back(frame);
            }
        }
        Step::Poll(end) => {
            if let Some(frame) = ends[end].poll() {
                ends[1 - end].inbox.push_back(frame);
            }
        }
        Step::Deliver(end) => drop(ends[end].deliver()),
        Step::Withhold(end, is_withholding) => ends[end].outbox.withhold(is_withholding),
    }
}

/// Lets both ends do what they can; returns whether anything happened.
fn settle(ends: &mut [End; 2]) -> bool {
    let mut any = false;
    for end in 0..2 {
        any |= ends[end].deliver();
        if let Some(frame) = ends[end].poll() {
            ends[1 - end].inbox.push_back(frame);
            any = true;
        }
    }
    any
}

fn outbox() -> Outbox {
    Outbox::new(EPOCH, Version::V1)
}

fn header(frame: &Bytes) -> BatchHeader {
    BatchReader::new(frame).expect("a batch").header()
}

/// The number, the acknowledgement and the count of messages of what is posted next.
fn poll(outbox: &mut Outbox) -> (u64, u64, u32) {
    let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("a frame is due"));
    let header = header(&frame);
    (header.seq, header.ack, header.count)
}

fn receipt(channel: u32, through: u64) -> ToTab {
    ToTab::Sent {
        channel: ChannelId(channel),
        through: SendId(through),
    }
}

fn pong() -> ToTab {
    ToTab::Pong { nonce: 1 }
}

fn batch(seq: u64) -> BatchHeader {
    BatchHeader {
        version: 1,
        epoch: EPOCH,
        seq,
        ack: 0,
        count: 1,
    }
}

fn ack(ack: u64) -> BatchHeader {
    BatchHeader {
        version: 1,
        epoch: EPOCH,
        seq: 0,
        ack,
        count: 0,
    }
}

fn nonce(message: &ToWorker) -> u32 {
    match message {
        ToWorker::Ping { nonce } => *nonce,
        other => unreachable!("only pings were pushed: {other:?}"),
    }
}
