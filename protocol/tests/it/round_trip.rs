//! What goes in comes out.

use std::time::Duration;

use bytes::Bytes;
use onesocket_protocol::{
    BatchReader, ChannelId, Delivered, Encode, Epoch, FailedStart, Hello, Millis, Outbox, Outgoing,
    Packed, Payload, Preface, Refusal, SendId, TabId, TabToken, ToTab, ToWorker, Version,
    VersionRange, Welcome, limits, message::tag,
};
use proptest::{collection::vec, prelude::*};

use crate::{Message, decode_all, raw, strategies};

proptest! {
    #[test]
    fn a_message_to_the_worker(message in strategies::to_worker()) {
        prop_assert_eq!(ToWorker::decode_v1(&raw(&message)), Ok(message));
    }

    #[test]
    fn a_message_to_the_tab(message in strategies::to_tab()) {
        prop_assert_eq!(ToTab::decode_v1(&raw(&message)), Ok(message));
    }

    #[test]
    fn a_send_is_written_as_postcard_writes_its_fields(
        channel: u32,
        id: u64,
        shift in 0..64,
        keep: bool,
        payload in strategies::payload(),
        before in vec(any::<u8>(), 0..3),
    ) {
        let (channel, id) = (ChannelId(channel >> (shift / 2)), SendId(id >> shift));
        let fields = (channel, id, keep, payload.kind());
        let mut body = postcard::to_allocvec(&fields).expect("they have a form");
        body.extend(payload.bytes());
        let mut expect = before.clone();
        expect.push(tag::SEND);
        expect.extend((body.len() as u32).to_le_bytes());
        expect.extend(body);
        let mut written = before;
        Outgoing { channel, id, keep, payload: &payload }.encode(Version::V1, &mut written);
        prop_assert_eq!(written, expect);
    }

    #[test]
    fn a_delivered_message_is_written_as_the_message_is(
        number: u32,
        shift in 0..32,
        replayed: bool,
        payload in strategies::payload(),
        before in vec(any::<u8>(), 0..3),
    ) {
        let channel = ChannelId(number >> shift);
        let (mut one, mut other) = (before.clone(), before);
        Delivered { channel, replayed, payload: &payload }.encode(Version::V1, &mut one);
        ToTab::Message { channel, replayed, payload }.encode(Version::V1, &mut other);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_pushed_pack_is_written_as_the_message_is(
        number: u32,
        shift in 0..32,
        payloads in vec(vec(any::<u8>(), 0..64), 0..6),
    ) {
        let channel = ChannelId(number >> shift);
        let packed = strategies::pack(&payloads);
        let [mut pushed, mut told] = [(); 2].map(|()| Outbox::new(Epoch(1), Version::V1));
        pushed.push_packed(channel, &packed);
        told.push(&ToTab::Packed { channel, packed });
        prop_assert_eq!(pushed.backlog_bytes(), told.backlog_bytes());
        prop_assert_eq!(pushed.poll_frame(), told.poll_frame());
    }

    #[test]
    fn packed_payloads(payloads in vec(vec(any::<u8>(), 0..64), 0..20)) {
        let packed = strategies::pack(&payloads);
        let longest = payloads.iter().map(Vec::len).max().unwrap_or(0);
        prop_assert_eq!((packed.count() as usize, packed.longest() as usize), (payloads.len(), longest));
        let payloads: Vec<_> = payloads.into_iter().map(Payload::binary).collect();
        prop_assert_eq!(packed.payloads().collect::<Vec<_>>(), payloads);
    }

    #[test]
    fn any_bytes_are_packed_payloads_or_not(bytes in vec(0..5_u8, 0..60)) {
        let Some(packed) = Packed::new(bytes.clone()) else {
            return Ok(());
        };
        let payloads: Vec<_> = packed.payloads().map(Payload::into_bytes).collect();
        prop_assert_eq!(packed.count() as usize, payloads.len());
        prop_assert_eq!(strategies::pack(&payloads), packed.clone());
        prop_assert_eq!(packed.bytes(), &bytes);
    }

    #[test]
    fn a_batch(messages in vec(strategies::to_tab(), 1..20), epoch: u64) {
        let epoch = Epoch(epoch);
        let mut outbox = Outbox::new(epoch, Version::V1);
        for message in &messages {
            outbox.push(message);
        }
        let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("a batch"));
        prop_assert_eq!(Preface::decode(&frame), Ok(Preface::Batch));
        let batch = BatchReader::new(&frame).expect("a batch");
        let header = batch.header();
        prop_assert_eq!((header.version, header.epoch, header.seq, header.ack), (1, epoch, 1, 0));
        prop_assert_eq!(header.count as usize, messages.len());
        prop_assert_eq!(decode_all::<ToTab>(batch), messages);
    }

    #[test]
    fn a_hello(token: u64, build: u64, holds_lock: bool, versions in versions()) {
        let hello = Hello { holds_lock, versions, token: TabToken(token), build };
        prop_assert_eq!(Preface::decode(&hello.encode()), Ok(Preface::Hello(hello)));
    }

    #[test]
    fn a_welcome(epoch: u64, tab: u32, versions in versions()) {
        let (epoch, tab) = (Epoch(epoch), TabId(tab));
        let welcome = Welcome { version: versions.min, versions, epoch, tab };
        prop_assert_eq!(Preface::decode(&welcome.encode()), Ok(Preface::Welcome(welcome)));
    }

    #[test]
    fn a_refusal(versions in versions()) {
        let refusal = Refusal { versions };
        prop_assert_eq!(Preface::decode(&refusal.encode()), Ok(Preface::Refused(refusal)));
    }

    #[test]
    fn a_failed_start(reason in ".*", repeat in 1..200_usize) {
        let reason = reason.repeat(repeat);
        let read = Preface::decode(&FailedStart { reason: reason.clone() }.encode());
        let Ok(Preface::Failed(failed)) = read else {
            return Err(TestCaseError::fail(format!("{read:?}")));
        };
        prop_assert!(reason.starts_with(&failed.reason));
        let cut = reason.len() - failed.reason.len();
        prop_assert!(cut == 0 || failed.reason.len() > limits::MAX_REASON_BYTES - 4);
    }

    #[test]
    fn a_later_build_may_append_to_a_preface(token: u64, more in vec(any::<u8>(), 0..20)) {
        let hello = Hello::new(TabToken(token), true);
        let mut bytes = hello.encode();
        bytes.extend(more);
        prop_assert_eq!(Preface::decode(&bytes), Ok(Preface::Hello(hello)));
    }

    #[test]
    fn a_duration_is_never_cut_short(micros in 0..4_000_000_000_000_u64) {
        let duration = Duration::from_micros(micros);
        let millis = Millis::from(duration).duration();
        prop_assert!(millis >= duration && millis - duration < Duration::from_millis(1));
    }
}

fn versions() -> impl Strategy<Value = VersionRange> {
    (1..=u16::MAX)
        .prop_flat_map(|min| (min..=u16::MAX).prop_map(move |max| VersionRange { min, max }))
}
