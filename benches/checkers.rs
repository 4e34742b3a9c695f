//! What it costs to judge histories of 100,000 operations.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo_benches::histories::{Shape, lists, registers};
use dacapo_check::linear::models::Register;
use dacapo_check::transaction::{Data, Level};
use dacapo_check::{Limits, isolated, linearizable};

const OPERATIONS: usize = 100_000;

fn linear(c: &mut Criterion) {
    let mut group = c.benchmark_group("linearizable_registers");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for (keys, clients, unknown) in [(1000, 50, 0), (10, 10, 0), (10, 50, 0), (10, 50, 5), (1, 50, 0)] {
        let shape = Shape { operations: OPERATIONS, keys, clients, unknown };
        let history = registers(shape);
        group.bench_function(shape.name(), |b| {
            b.iter(|| {
                let verdict = linearizable(&history, &Register::default(), &Limits::default());
                assert!(verdict.expect("the history can be read").holds());
            })
        });
    }
    group.finish();
}

fn transactions(c: &mut Criterion) {
    let mut group = c.benchmark_group("transactions_on_lists");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for level in [Level::Serializable, Level::StrictSerializable] {
        let shape = Shape { operations: OPERATIONS, keys: 10, clients: 20, unknown: 5 };
        let history = lists(shape);
        group.bench_function(level.name().replace(' ', "_"), |b| {
            b.iter(|| {
                let verdict = isolated(&history, Data::Lists, level);
                assert!(verdict.expect("the history can be read").holds());
            })
        });
    }
    group.finish();
}

criterion_group!(benches, linear, transactions);
criterion_main!(benches);
