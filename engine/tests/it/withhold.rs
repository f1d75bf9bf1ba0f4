//! A tab whose app has not read what it was given.

use bytes::Bytes;
use onesocket_engine::{ChannelConfig, Delivery, TabOutput, TabSession};
use onesocket_protocol::{
    BatchHeader, BatchReader, ChannelId, DebugLevel, Epoch, LinkKey, LinkPolicy, Outbox, Payload,
    Replay, TabId, TabToken, ToTab, Version, VersionRange, Welcome,
};

const EPOCH: Epoch = Epoch(7);

/// A session with a worker that is written by hand.
struct Pair {
    tab: TabSession,
    worker: Outbox,
    channel: ChannelId,
}

impl Pair {
    fn new() -> Self {
        let mut tab = TabSession::new(TabToken(1), DebugLevel::Off);
        let key = LinkKey {
            url: "wss://x.org/".to_owned(),
            subprotocols: Vec::new(),
            account: String::new(),
        };
        let channel = tab.open(ChannelConfig {
            key,
            policy: LinkPolicy::default(),
            replay: Replay::None,
        });
        tab.attach(false);
        let welcome = Welcome {
            version: Version::V1.number(),
            versions: VersionRange::OURS,
            epoch: EPOCH,
            tab: TabId(1),
        };
        tab.handle_frame(&Bytes::from(welcome.encode()));
        let mut pair = Self {
            tab,
            worker: Outbox::new(EPOCH, Version::V1),
            channel,
        };
        for header in pair.posted() {
            pair.worker.on_batch(header).expect("the next batch");
        }
        pair
    }

    /// Has the worker say something, whether or not what it said before is acknowledged.
    fn tell(&mut self, text: &'static str) {
        self.worker.push(&ToTab::Message {
            channel: self.channel,
            replayed: false,
            payload: Payload::text(text),
        });
        assert!(self.worker.prepare_last_frame());
        let frame = Bytes::copy_from_slice(self.worker.prepared_frame());
        self.tab.handle_frame(&frame);
    }

    /// Drains the tab; returns the headers of the batches that it posts.
    fn posted(&mut self) -> Vec<BatchHeader> {
        let mut headers = Vec::new();
        while let Some(output) = self.tab.poll_output() {
            if let TabOutput::Post(frame) = output
                && let Ok(batch) = BatchReader::new(&Bytes::copy_from_slice(frame))
            {
                headers.push(batch.header());
            }
        }
        headers
    }

    fn acks(&mut self) -> Vec<u64> {
        self.posted().iter().map(|header| header.ack).collect()
    }
}

#[test]
fn nothing_is_acknowledged_before_it_is_read() {
    let mut pair = Pair::new();
    pair.tell("1");
    pair.tab.withhold(true);
    assert!(pair.acks().is_empty());
    let sent = pair
        .tab
        .send(pair.channel, Payload::text("up"), Delivery::AtMostOnce);
    assert!(sent.is_ok());
    assert_eq!(pair.acks(), [0], "what it says leaves all the same");
    pair.tell("2");
    assert!(pair.acks().is_empty());
    pair.tab.withhold(false);
    assert_eq!(pair.acks(), [2]);
}

#[test]
fn the_last_word_on_a_channel_waits_for_no_reader() {
    let mut pair = Pair::new();
    pair.tell("1");
    pair.tab.withhold(true);
    assert!(pair.acks().is_empty());
    pair.tab.close(pair.channel);
    pair.tab.withhold(true);
    assert_eq!(pair.acks(), [1]);
}

#[test]
fn a_worker_that_is_left_in_good_order_waits_for_no_reader() {
    let mut pair = Pair::new();
    pair.tell("1");
    pair.tab.withhold(true);
    assert!(pair.acks().is_empty());
    pair.tab.hand_over();
    pair.tab.withhold(true);
    assert_eq!(pair.acks(), [1]);
}
