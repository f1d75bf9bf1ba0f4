//! One message of 200 bytes in a batch of a hundred: written by a worker, read by a tab, and the other way round.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use onesocket_protocol::{
    BatchReader, ChannelId, Encode, Epoch, Outbox, Payload, SendId, ToTab, ToWorker, Version,
};

const COUNT: u64 = 100;

fn payload() -> Payload {
    Payload::binary(vec![7; 200])
}

fn to_tab() -> ToTab {
    ToTab::Message {
        channel: ChannelId(1),
        replayed: false,
        payload: payload(),
    }
}

fn to_worker() -> ToWorker {
    ToWorker::Send {
        channel: ChannelId(1),
        id: SendId(1_000),
        keep: false,
        payload: payload(),
    }
}

fn batch(message: &impl Encode) -> Bytes {
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    (0..COUNT).for_each(|_| outbox.push(message));
    outbox
        .poll_frame()
        .map(Bytes::copy_from_slice)
        .unwrap_or_default()
}

fn read<T>(frame: &Bytes, decode: impl Fn(&onesocket_protocol::RawMessage) -> Option<T>) -> usize {
    let Ok(reader) = BatchReader::new(frame) else {
        return 0;
    };
    let messages = reader.filter_map(|raw| decode(&raw.ok()?));
    messages.map(black_box).count()
}

fn codec(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a batch of 100 messages of 200 bytes");
    group.throughput(Throughput::Elements(COUNT));
    let (down, up) = (to_tab(), to_worker());
    group.bench_function("written by the worker", |b| b.iter(|| batch(&down)));
    group.bench_function("written by a tab", |b| b.iter(|| batch(&up)));
    let (down, up) = (batch(&down), batch(&up));
    group.bench_function("read by a tab", |b| {
        b.iter(|| read(&down, |raw| ToTab::decode(Version::V1, raw).ok()));
    });
    group.bench_function("read by the worker", |b| {
        b.iter(|| read(&up, |raw| ToWorker::decode(Version::V1, raw).ok()));
    });
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
