//! What a simulated delivery between native guests costs.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo_benches::ping_pong;
use dacapo_lab::Experiment;

const CALLS: u32 = 10_000;

fn ping_pong(c: &mut Criterion) {
    let mut group = c.benchmark_group("native_ping_pong");
    group.throughput(Throughput::Elements(2 * u64::from(CALLS)));
    let mut measure = |name: &str, experiment: Experiment| {
        assert_eq!(experiment.run(0).failure, None);
        group.bench_function(name, |b| b.iter(|| experiment.run(0).digest));
    };
    measure("one_at_a_time", ping_pong::experiment(CALLS, 1));
    measure("hundred_in_flight", ping_pong::experiment(CALLS, 100));
    group.finish();
}

criterion_group!(benches, ping_pong);
criterion_main!(benches);
