//! What a run with native guests costs: a delivery, a simulated second, a seed.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo_benches::{five, ping_pong};
use dacapo_lab::Experiment;

const CALLS: u32 = 10_000;

fn native_ping_pong(c: &mut Criterion) {
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

/// Elements are simulated seconds.
fn simulated_seconds(c: &mut Criterion) {
    let mut group = c.benchmark_group("simulated_seconds");
    group.sample_size(20);
    for (name, faults) in [("calm", &[][..]), ("network_and_process_faults", &["network", "process"][..])] {
        let experiment = five::experiment(5, Duration::from_secs(100), faults);
        let report = experiment.run(0);
        assert_eq!(report.failure, None);
        let seconds = report.time.as_secs_f64();
        println!(
            "five services, {name}: {:.0} deliveries a simulated second",
            report.events as f64 / seconds
        );
        group.throughput(Throughput::Elements(seconds as u64));
        group.bench_function(name, |b| b.iter(|| experiment.run(0).digest));
    }
    group.finish();
}

/// Elements are seeds: three nodes, a minute of virtual time, every fault allowed.
fn seeds(c: &mut Criterion) {
    let mut group = c.benchmark_group("seeds");
    group.sample_size(20).throughput(Throughput::Elements(10));
    let experiment = five::experiment(3, Duration::from_secs(60), &["network", "process", "clock"]);
    group.bench_function("native_three_nodes", |b| {
        b.iter(|| (0..10).map(|seed| experiment.run(seed).events).sum::<u64>())
    });
    group.finish();
}

criterion_group!(benches, native_ping_pong, simulated_seconds, seeds);
criterion_main!(benches);
