//! One message of the server, from the socket to every tab that listens and back with the acknowledgements. What it costs a tab must not
//! grow with the tabs, and those that do not listen must cost nothing, nor must other connections.

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use onesocket_bench_micro::World;
use onesocket_engine::Gathered;
use onesocket_protocol::{Packed, Payload};

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a message of 200 bytes");
    for listening in [1, 10, 100, 1_000] {
        group.throughput(Throughput::Elements(listening as u64));
        group.bench_function(BenchmarkId::new("to tabs that listen", listening), |b| {
            let mut world = World::new(listening, 0);
            b.iter(|| world.receive(Payload::binary(vec![7; 200])));
        });
    }
    group.throughput(Throughput::Elements(1));
    for idle in [0, 10, 100, 1_000] {
        group.bench_function(
            BenchmarkId::new("to one tab, beside idle ones", idle),
            |b| {
                let mut world = World::new(1, idle);
                b.iter(|| world.receive(Payload::binary(vec![7; 200])));
            },
        );
    }
    for links in [1, 10, 50, 200] {
        group.bench_function(
            BenchmarkId::new("to one tab with connections", links),
            |b| {
                let mut world = World::with_links(links);
                b.iter(|| world.receive(Payload::binary(vec![7; 200])));
            },
        );
    }
    group.finish();
}

/// Messages of a stream, as the prelude hands them over. Taken apart for each tab they cost each tab as much as by themselves; in one
/// piece they cost one copy.
fn stream(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a message of a stream of 200 bytes");
    let message = [&200_u32.to_le_bytes()[..], &[7; 200]].concat();
    let bytes = Bytes::from(message.repeat(MESSAGES));
    for listening in [1, 10, 100] {
        group.throughput(Throughput::Elements((MESSAGES * listening) as u64));
        let packed = || Packed::new(bytes.clone()).expect("each is behind its length");
        group.bench_function(BenchmarkId::new("one by one", listening), |b| {
            let mut world = World::new(listening, 0);
            b.iter(|| world.gather(packed().payloads().map(Gathered::One).collect()));
        });
        group.bench_function(BenchmarkId::new("packed", listening), |b| {
            let mut world = World::new(listening, 0);
            b.iter(|| world.gather(vec![Gathered::Packed(packed())]));
        });
    }
    group.finish();
}

/// As many as have room in one piece of the prelude's.
const MESSAGES: usize = 320;

criterion_group!(benches, engine, stream);
criterion_main!(benches);
