//! What a run with JavaScript guests costs: a call from one to another, the start of a seed, and a
//! seed of a whole example.

use std::path::Path;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo::project::Project;
use dacapo_lab::Experiment;

/// What `js/hop/pinger.sim.ts` does.
const CALLS: u64 = 10_000;

/// Panics, as a test does, if the project or its first seed is not in order.
fn experiment(folder: &str) -> Experiment {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let project = Project::open(&path).unwrap_or_else(|error| panic!("{folder}: {error:?}"));
    let scenario = project.plan().scenarios.first().expect("a scenario").clone();
    let experiment = project.experiment(&scenario).unwrap_or_else(|error| panic!("{folder}: {error:?}"));
    assert_eq!(experiment.run(0).failure, None, "{folder}");
    experiment
}

/// A request from one service to another on another node, and its response: two deliveries.
fn hop(c: &mut Criterion) {
    let mut group = c.benchmark_group("js_fetch");
    group.sample_size(10).throughput(Throughput::Elements(CALLS));
    let experiment = experiment("js/hop");
    group.bench_function("there_and_back", |b| b.iter(|| experiment.run(0).digest));
    group.finish();
}

/// What `js/steps/flow.ts` and its workload do.
const STEPS: u64 = 10_000;

/// A step of a workflow: its callback, and two commits, with what it asked for and what it got.
fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("workflow");
    group.sample_size(10).throughput(Throughput::Elements(STEPS));
    let experiment = experiment("js/steps");
    group.bench_function("step", |b| b.iter(|| experiment.run(0).digest));
    group.finish();
}

/// What `js/activation/activation.sim.ts` does.
const ACTIVATIONS: u64 = 200;

/// A call of a durable object that has left memory: the read of its state from a simulated disk, its
/// context, its module, the call and its commit.
fn activation(c: &mut Criterion) {
    let mut group = c.benchmark_group("object");
    group.sample_size(10).throughput(Throughput::Elements(ACTIVATIONS));
    let experiment = experiment("js/activation");
    group.bench_function("activation", |b| b.iter(|| experiment.run(0).digest));
    group.finish();
}

/// Three services on each of three nodes: nine instances and the workload's, each called once.
fn cold_start(c: &mut Criterion) {
    let experiment = experiment("js/cold");
    c.bench_function("js_cold_start", |b| b.iter(|| experiment.run(0).digest));
}

/// Elements are seeds.
fn bank(c: &mut Criterion) {
    let mut group = c.benchmark_group("bank");
    group.sample_size(10);
    let experiment = experiment("../examples/bank");
    let mut seeds = 0..;
    group.throughput(Throughput::Elements(1));
    group.bench_function("seed", |b| {
        b.iter_custom(|times| {
            let start = Instant::now();
            for seed in seeds.by_ref().take(times as usize) {
                experiment.run(seed);
            }
            start.elapsed()
        })
    });
    group.finish();
}

/// A hundred days of a cron line each quarter of an hour, two each day and an alarm each hour, each of which writes to
/// a durable object. Elements are simulated days.
fn cron(c: &mut Criterion) {
    let mut group = c.benchmark_group("cron");
    group.sample_size(10).throughput(Throughput::Elements(100));
    let experiment = experiment("../sim-scenarios/fast/month");
    group.bench_function("hundred_days", |b| b.iter(|| experiment.run(0).digest));
    group.finish();
}

criterion_group!(benches, hop, steps, activation, cold_start, bank, cron);
criterion_main!(benches);
