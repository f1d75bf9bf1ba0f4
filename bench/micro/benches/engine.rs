//! One message of the server, from the socket to every tab that listens and back with the acknowledgements. What it costs a tab must not
//! grow with the tabs, and those that do not listen must cost nothing.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use onesocket_bench_micro::World;
use onesocket_protocol::Payload;

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
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
