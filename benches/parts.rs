//! What the parts of a simulated run cost: the queue of what is due, a decision, the recorder.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dacapo_benches::ping_pong;
use dacapo_core::{Address, Decisions, Effect, InstanceId, NodeId, Seed, Source, TimerId, World};
use dacapo_lab::RunOptions;
use dacapo_runtime::Cluster;
use dacapo_sim::{Sim, SimOptions};

/// Sets a timer and takes the next that is due, while so many are waiting.
fn queue(c: &mut Criterion) {
    let mut group = c.benchmark_group("queue_push_and_pop");
    for waiting in [10, 1_000, 100_000] {
        let mut options = SimOptions::new(1);
        (options.lasts, options.deliveries_max) = (Duration::from_secs(1 << 33), u64::MAX);
        options.nodes.truncate(1);
        let mut sim = Sim::new(options, Decisions::new(Seed(0), Source::Seed));
        let boot = sim.next().expect("the node boots");
        let from = Address { node: NodeId(0), instance: InstanceId(1) };
        assert_eq!(boot.to.node, from.node);
        let mut random = Seed(0).stream("waits");
        let mut timers = (0..).map(TimerId);
        let mut set = |sim: &mut Sim| {
            let wait = Duration::from_nanos(1 + random.below(1_000_000_000));
            sim.submit(from, Effect::SetTimer(timers.next().expect("numbers do not end"), wait));
        };
        (0..waiting).for_each(|_| set(&mut sim));
        group.bench_function(BenchmarkId::from_parameter(waiting), |b| {
            b.iter(|| {
                set(&mut sim);
                sim.next().expect("a timer is due").at
            })
        });
    }
    group.finish();
}

fn decision(c: &mut Criterion) {
    let mut group = c.benchmark_group("decision");
    let mut decisions = Decisions::new(Seed(0), Source::Seed);
    let lane = decisions.lane("net.latency");
    group.bench_function("drawn", |b| b.iter(|| decisions.choose(lane, "latency", 1 << 32)));
    group.finish();
}

/// The same run of 20,000 deliveries: nobody looks, its digest is kept, it is written.
fn recorder(c: &mut Criterion) {
    let mut group = c.benchmark_group("recorder");
    group.throughput(Throughput::Elements(20_000));
    let experiment = ping_pong::experiment(10_000, 1);
    group.bench_function("none", |b| {
        b.iter(|| {
            let decisions = Decisions::new(Seed(0), Source::Seed);
            let mut sim = Sim::new(experiment.options().clone(), decisions);
            dacapo_runtime::run(&mut sim, &mut Cluster::new(Rc::clone(experiment.system())));
            sim.now()
        })
    });
    group.bench_function("digest", |b| b.iter(|| experiment.run(0).digest));
    group.bench_function("written", |b| {
        b.iter(|| {
            let identity = experiment.identity(Seed(0), None);
            let record = Some((identity, Box::new(io::sink()) as Box<dyn io::Write>));
            experiment.run_with(Seed(0), RunOptions { record, ..RunOptions::default() }).0.digest
        })
    });
    group.finish();
}

criterion_group!(benches, queue, decision, recorder);
criterion_main!(benches);
