//! A message of a server that speaks JSON: read by a page as it is, turned into postcard by a worker, and read by a page then.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use onesocket::codec::{Codec, Transcoded};
use onesocket_bench_page::Ticker;
use onesocket_protocol::Payload;
use onesocket_worker::json_to_postcard;

fn json(criterion: &mut Criterion) {
    let text = serde_json::to_string(&Ticker::numbered(12_345)).unwrap_or_default();
    let json = Payload::text(text);
    let Some(postcard) = json_to_postcard::<Ticker>(&json) else {
        return;
    };
    let read = |payload: &Payload| -> Option<Ticker> {
        Codec::<(), _>::decode(&Transcoded, black_box(payload)).ok()
    };
    let mut group = criterion.benchmark_group("a message in JSON");
    group.bench_function("read by a tab", |b| b.iter(|| read(&json)));
    group.bench_function("turned into postcard by a worker", |b| {
        b.iter(|| json_to_postcard::<Ticker>(black_box(&json)));
    });
    group.bench_function("read by a tab as postcard", |b| b.iter(|| read(&postcard)));
    group.finish();
}

criterion_group!(benches, json);
criterion_main!(benches);
