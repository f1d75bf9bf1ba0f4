//! A tab that does not acknowledge: what waits for it is bounded, and what it misses is counted.

use std::collections::BTreeMap;

use bytes::Bytes;
use onesocket_protocol::{
    BatchHeader, BatchReader, ChannelId, Epoch, LogEntry, LogLevel, Outbox, Parcel, Payload,
    SendId, ToTab, Version, limits, parcel,
};
use proptest::{collection::vec, prelude::*};

use crate::{decode_all, strategies::pack};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A message of the server, of so many bytes.
    Message(u32, usize),
    /// The same, as a parcel.
    Parcel(u32, usize),
    /// So many in one, each of so many bytes.
    Pack(u32, u32, usize),
    /// Something that may not be dropped.
    Receipt(u32),
    Log,
    /// The tab takes a batch and acknowledges it.
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..2_u32, 0..4 * MIB).prop_map(|(channel, len)| Step::Message(channel, len)),
        3 => (0..2_u32, 0..4 * MIB).prop_map(|(channel, len)| Step::Parcel(channel, len)),
        3 => (0..2_u32, 1..60_u32, 0..64 * 1024_usize)
            .prop_map(|(channel, count, len)| Step::Pack(channel, count, len)),
        2 => (0..3_u32).prop_map(Step::Receipt),
        1 => Just(Step::Log),
        2 => Just(Step::Take),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_missed_is_told_exactly_and_in_its_place(steps in vec(step(), 0..120)) {
        let mut worker = Worker::new();
        let mut tab = Tab::default();
        for step in steps {
            worker.take(step, &mut tab);
        }
        while worker.deliver_to(&mut tab) {}
        prop_assert!(worker.outbox.is_idle());
        prop_assert_eq!(&tab.accounted, &worker.pushed, "every message is delivered or counted");
        prop_assert_eq!(tab.receipts, worker.receipts);
        prop_assert!(tab.log_lines <= worker.log_lines);
    }
}

#[test]
fn a_tab_that_never_acknowledges_costs_a_bounded_backlog() {
    let mut worker = Worker::new();
    worker.flood(2_000, 64 * 1024);
    let bound = limits::MAX_BACKLOG_BYTES + 2 * limits::FULL_BATCH_BYTES;
    assert!(
        worker.outbox.backlog_bytes() <= bound,
        "{}",
        worker.outbox.backlog_bytes()
    );

    let mut tab = Tab::default();
    while worker.deliver_to(&mut tab) {}
    assert_eq!(tab.accounted, worker.pushed);
    assert!(tab.missed > 1_000);
}

#[test]
fn receipts_that_keep_coming_do_not_keep_a_tab_lagging_for_ever() {
    let mut worker = Worker::new();
    let mut tab = Tab::default();
    worker.flood(1_000, 64 * 1024);
    // Something always waits, so the backlog is never quite empty.
    for _ in 0..50 {
        worker.take(Step::Receipt(0), &mut tab);
        worker.deliver_to(&mut tab);
        worker.take(Step::Receipt(0), &mut tab);
    }
    let missed = tab.missed;
    worker.flood(1, 10);
    while worker.deliver_to(&mut tab) {}
    assert_eq!(tab.accounted, worker.pushed);
    assert_eq!(tab.missed, missed, "the lag was over");
}

#[test]
fn a_lag_is_told_before_its_channel_is_detached() {
    let mut worker = Worker::new();
    worker.flood(1_000, 64 * 1024);
    worker.outbox.push_to_tab(&ToTab::Detached {
        channel: ChannelId(0),
    });
    let told = worker.drain();
    let of_channel: Vec<_> = told.iter().rev().take(2).collect();
    assert!(
        matches!(
            of_channel[..],
            [ToTab::Detached { .. }, ToTab::Lagged { .. }]
        ),
        "{of_channel:?}"
    );
}

#[test]
fn one_large_message_does_not_cost_the_small_one_behind_it() {
    let mut worker = Worker::new();
    worker.flood(1, 10);
    assert!(worker.outbox.poll_frame().is_some());
    worker.flood(1, limits::MAX_PAYLOAD_BYTES);
    worker.flood(10, 10);
    let mut tab = Tab::default();
    tab.accounted.insert(ChannelId(0), 1);
    worker.acknowledge(1);
    while worker.deliver_to(&mut tab) {}
    assert_eq!((tab.missed, tab.accounted), (0, worker.pushed));
}

#[test]
fn of_a_pack_that_is_dropped_each_message_is_counted() {
    let mut worker = Worker::new();
    worker.flood(1_000, 64 * 1024);
    for _ in 0..3 {
        worker.pack(ChannelId(0), 100, 10);
    }
    let mut tab = Tab::default();
    while worker.deliver_to(&mut tab) {}
    assert_eq!(tab.accounted, worker.pushed);
    let mut without = Worker::new();
    without.flood(1_000, 64 * 1024);
    let mut told = Tab::default();
    while without.deliver_to(&mut told) {}
    assert_eq!(tab.missed, told.missed + 300);
}

#[test]
fn each_packed_message_is_one_of_the_batch_that_is_posted_next() {
    let mut worker = Worker::new();
    let (a, b) = (ChannelId(0), ChannelId(1));
    worker.pack(a, 20, 8);
    assert_eq!(worker.outbox.next_messages(), 20);
    worker.message(a, 8);
    worker.pack(b, 1, 8);
    worker.pack(b, 7, 8);
    assert_eq!(worker.outbox.next_messages(), 29);
    worker.message(a, limits::FULL_BATCH_BYTES);
    worker.pack(a, 3, 8);
    assert_eq!(worker.outbox.next_messages(), 30, "the last is in another");
    let (seq, messages) = worker.poll().expect("a batch");
    assert_eq!((seq, messages.len()), (1, 5));
    assert_eq!(worker.outbox.next_messages(), 3);
    assert!(worker.outbox.has_only_news());
}

#[test]
fn a_batch_of_packs_has_no_more_messages_than_another() {
    let most = limits::MAX_BATCH_MESSAGES as usize;
    let of_batches = |packs: &[u32]| {
        let mut worker = Worker::new();
        for count in packs {
            worker.pack(ChannelId(0), *count, 0);
        }
        worker.message(ChannelId(0), 0);
        let mut batches = Vec::new();
        while let Some((seq, messages)) = worker.poll() {
            let count = |message: &ToTab| match message {
                ToTab::Packed { packed, .. } => packed.count() as usize,
                _ => 1,
            };
            batches.push(messages.iter().map(count).sum::<usize>());
            worker.acknowledge(seq);
        }
        batches
    };
    // Of eight bytes each: 1 MiB has room for a third more than may be in a batch.
    assert_eq!(of_batches(&[16_384; 5]), [most, 16_385]);
    assert_eq!(of_batches(&[16_384, 16_384, 16_384, 16_383]), [most]);
    assert_eq!(
        of_batches(&[16_384, 16_384, 16_384, 16_383, 2]),
        [65_535, 3]
    );
    assert_eq!(of_batches(&[70_000, 1]), [70_000, 2], "a pack is not cut");
}

#[test]
fn dropped_log_lines_are_counted_in_one() {
    let mut worker = Worker::new();
    worker.flood(1_000, 64 * 1024);
    for _ in 0..5 {
        worker.outbox.push_to_tab(&log());
    }
    let told = worker.drain();
    let last = told.last().expect("something was told");
    assert!(
        matches!(last, ToTab::Log(entry) if entry.level() == LogLevel::Warn && entry.to_string().starts_with("5 log lines"))
    );
}

const MIB: usize = 1024 * 1024;

struct Worker {
    outbox: Outbox,
    /// How many messages of each channel the server has sent.
    pushed: BTreeMap<ChannelId, u64>,
    receipts: u32,
    log_lines: u32,
}

impl Worker {
    fn new() -> Self {
        Self {
            outbox: Outbox::new(Epoch(1), Version::V1),
            pushed: BTreeMap::new(),
            receipts: 0,
            log_lines: 0,
        }
    }

    fn take(&mut self, step: Step, tab: &mut Tab) {
        match step {
            Step::Message(channel, len) => self.message(ChannelId(channel), len),
            Step::Parcel(channel, len) => self.parcel(ChannelId(channel), len),
            Step::Pack(channel, count, len) => self.pack(ChannelId(channel), count, len),
            Step::Receipt(channel) => self.receipt(ChannelId(channel)),
            Step::Log => {
                self.log_lines += 1;
                self.outbox.push_to_tab(&log());
            }
            Step::Take => drop(self.deliver_to(tab)),
        }
        let largest = limits::FULL_BATCH_BYTES + 4 * MIB;
        let bound = limits::MAX_BACKLOG_BYTES + 2 * largest;
        assert!(self.outbox.backlog_bytes() <= bound);
    }

    fn flood(&mut self, count: u32, len: usize) {
        for _ in 0..count {
            self.message(ChannelId(0), len);
        }
    }

    fn parcel(&mut self, channel: ChannelId, len: usize) {
        let bytes = self.next(channel, len);
        let len = bytes.len();
        let parcel = Parcel::new(bytes, len);
        self.outbox.push_parcel(channel, &parcel);
    }

    fn pack(&mut self, channel: ChannelId, count: u32, len: usize) {
        let payloads: Vec<_> = (0..count).map(|_| self.next(channel, len)).collect();
        let packed = pack(&payloads);
        self.outbox.push_to_tab(&ToTab::Packed { channel, packed });
    }

    fn message(&mut self, channel: ChannelId, len: usize) {
        let payload = Payload::binary(self.next(channel, len));
        self.outbox.push_to_tab(&ToTab::Message {
            channel,
            replayed: false,
            payload,
        });
    }

    /// A message says how many of its channel were before it.
    fn next(&mut self, channel: ChannelId, len: usize) -> Bytes {
        let before = self.pushed.entry(channel).or_default();
        let mut bytes = vec![0; len.max(8)];
        bytes[..8].copy_from_slice(&before.to_le_bytes());
        *before += 1;
        bytes.into()
    }

    /// A receipt says the same, so that the tab can tell whether it has been told of all that it missed.
    fn receipt(&mut self, channel: ChannelId) {
        let before = self.pushed.get(&channel).copied().unwrap_or(0);
        self.receipts += 1;
        self.outbox.push_to_tab(&ToTab::Sent {
            channel,
            through: SendId(before),
        });
    }

    fn deliver_to(&mut self, tab: &mut Tab) -> bool {
        let Some((seq, messages)) = self.poll() else {
            return false;
        };
        for message in messages {
            tab.on_message(message);
        }
        self.acknowledge(seq);
        true
    }

    fn drain(&mut self) -> Vec<ToTab> {
        let mut all = Vec::new();
        while let Some((seq, messages)) = self.poll() {
            all.extend(messages);
            self.acknowledge(seq);
        }
        all
    }

    fn poll(&mut self) -> Option<(u64, Vec<ToTab>)> {
        let mut all = Vec::new();
        loop {
            if !self.outbox.prepare_frame() {
                return None;
            }
            let frame = parcel::assemble(self.outbox.prepared_frame(), self.outbox.enclosed());
            let frame = Bytes::from(frame.expect("parcels in their places"));
            let batch = BatchReader::new(&frame).expect("a batch");
            let seq = batch.header().seq;
            all.extend(decode_all::<ToTab>(batch));
            // Marks come in a frame of their own, in front of the one that they are posted for.
            if seq != 0 {
                return Some((seq, all));
            }
        }
    }

    fn acknowledge(&mut self, ack: u64) {
        let header = BatchHeader {
            version: 1,
            epoch: Epoch(1),
            seq: 0,
            ack,
            count: 0,
        };
        self.outbox.on_batch(header).expect("an acknowledgement");
    }
}

#[derive(Default)]
struct Tab {
    /// How many messages of each channel were delivered or told as missed.
    accounted: BTreeMap<ChannelId, u64>,
    missed: u64,
    receipts: u32,
    log_lines: u32,
}

impl Tab {
    fn on_message(&mut self, message: ToTab) {
        match message {
            ToTab::Message {
                channel, payload, ..
            } => self.on_payload(channel, &payload),
            ToTab::Packed { channel, packed } => packed
                .payloads()
                .for_each(|payload| self.on_payload(channel, &payload)),
            ToTab::Lagged { channel, missed } => {
                assert!(missed > 0);
                *self.accounted.entry(channel).or_default() += missed;
                self.missed += missed;
            }
            ToTab::Sent { channel, through } => {
                let accounted = self.accounted.get(&channel).copied().unwrap_or(0);
                assert_eq!(through.0, accounted, "a receipt out of place");
                self.receipts += 1;
            }
            // It overtakes what waits, so it names a receipt that is still to come.
            ToTab::Mark { channel, through } => {
                let accounted = self.accounted.get(&channel).copied().unwrap_or(0);
                assert!(through.0 >= accounted, "a mark behind its receipt");
            }
            ToTab::Log(_) => self.log_lines += 1,
            other => unreachable!("was not pushed: {other:?}"),
        }
    }

    fn on_payload(&mut self, channel: ChannelId, payload: &Payload) {
        let accounted = self.accounted.entry(channel).or_default();
        assert_eq!(
            payload.bytes()[..8],
            accounted.to_le_bytes(),
            "a message out of place"
        );
        *accounted += 1;
    }
}

fn log() -> ToTab {
    ToTab::Log(LogEntry::line(LogLevel::Info, "a", "b"))
}
