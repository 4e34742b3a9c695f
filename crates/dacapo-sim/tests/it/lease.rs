//! The coordination service, and what goes wrong with it: each fault fires, and its caller can see it.

use std::collections::BTreeSet;
use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_core::{
    Address, Decisions, Effect, Event, InstanceId, LeaseCall, LeaseSwap, NodeId, Seed, Source, Time, TimerId,
    World,
};
use dacapo_sim::{Ending, NodeKind, Sim, SimFault, SimOptions, Swarm};

const TTL: Duration = Duration::from_secs(3);

#[derive(Default)]
struct Seen {
    answers: u64,
    failures: u64,
    slowest: Duration,
    /// Versions at which a node that renews in time had lost its lease.
    lost: u64,
    /// Calls that failed and were done all the same.
    done_unheard: u64,
    holders: BTreeSet<(u64, String)>,
}

/// Each of two nodes takes the lease when it is free, and renews it twice a second.
fn run(fault: Option<SimFault>, seed: u64) -> Seen {
    let mut options = SimOptions::new(2);
    options.nodes.retain(|node| node.kind == NodeKind::Cluster);
    options.swarm = Swarm::All;
    options.faults.extend(fault);
    let mut sim = Sim::new(options, Decisions::new(Seed(seed), Source::Seed));
    let mut seen = Seen::default();
    let mut version = [0; 2];
    let mut called = [Time::ZERO; 2];
    let mut free = [Some(0); 2];
    let mut number = 0;
    while let Some(delivery) = sim.next() {
        let NodeId(node) = delivery.to.node;
        let me = Address { node: NodeId(node), instance: InstanceId::RUNTIME };
        let mut next: Vec<LeaseSwap> = Vec::new();
        match delivery.event {
            Event::Boot { .. } | Event::Timer(_) => {}
            Event::Leased(_, result) => {
                let took = delivery.at.since(called[node as usize]);
                seen.slowest = seen.slowest.max(took);
                match result {
                    Err(_) => seen.failures += 1,
                    Ok(records) => {
                        seen.answers += 1;
                        for record in records {
                            let is_mine = record.value == node.to_string();
                            let mine = &mut version[node as usize];
                            seen.lost += u64::from(*mine > 0 && !(is_mine && record.is_held));
                            seen.done_unheard += u64::from(is_mine && record.version > *mine + 1);
                            seen.holders.insert((record.version, record.value.to_string()));
                            free[node as usize] = (!record.is_held).then_some(record.version);
                            *mine = if is_mine { record.version } else { 0 };
                        }
                    }
                }
                sim.submit(me, Effect::SetTimer(TimerId(0), Duration::from_millis(500)));
                continue;
            }
            other => panic!("{other:?}"),
        }
        number += 1;
        // Its own lease longer, or one that it has seen to be free.
        let mine = version[node as usize];
        let expected = if mine > 0 { Some(mine) } else { free[node as usize].take() };
        next.extend(expected.map(|expected| LeaseSwap {
            key: 0,
            expected,
            value: node.to_string().into(),
            ttl: TTL,
        }));
        called[node as usize] = delivery.at;
        sim.submit(me, Effect::Lease(Box::new(LeaseCall { number, group: "g".into(), swaps: next })));
    }
    assert_eq!(sim.ending(), Some(&Ending::Done));
    let versions: Vec<u64> = seen.holders.iter().map(|(version, _)| *version).collect();
    assert!(versions.windows(2).all(|two| two[0] < two[1]), "a version has one holder: {:?}", seen.holders);
    seen
}

fn millis(n: u64) -> Param {
    Param::Duration(Duration::from_millis(n))
}

#[test]
fn without_a_fault_the_service_answers_soon() {
    let seen = run(None, 1);
    assert!(seen.answers > 200 && seen.failures == 0, "{} {}", seen.answers, seen.failures);
    assert!(seen.slowest < Duration::from_millis(20), "{:?}", seen.slowest);
}

#[test]
fn lease_slow_makes_some_calls_slow() {
    let fault = SimFault::named("lease.slow").with("max", millis(2000));
    let seen = run(Some(fault), 1);
    assert!(seen.slowest > Duration::from_secs(1), "{:?}", seen.slowest);
}

#[test]
fn lease_unavailable_fails_calls_and_some_of_them_are_done_all_the_same() {
    let fault = SimFault::named("lease.unavailable").with("every", millis(3000)).with("lasts", millis(4000));
    let seen: Vec<Seen> = (0..20).map(|seed| run(Some(fault.clone()), seed)).collect();
    assert!(seen.iter().all(|seen| seen.failures > 0 && seen.answers > 0));
    assert!(seen.iter().any(|seen| seen.done_unheard > 0), "a call that failed was done");
}

#[test]
fn lease_early_ends_leases_that_are_renewed_in_time() {
    let fault = SimFault::named("lease.early").with("every", millis(200));
    assert_eq!(run(None, 1).lost, 0);
    assert!(run(Some(fault), 1).lost > 0);
}

#[test]
fn the_same_seed_does_the_same() {
    let fault = SimFault::named("lease.slow");
    let (one, two) = (run(Some(fault.clone()), 5), run(Some(fault), 5));
    assert_eq!((one.answers, one.slowest, one.holders), (two.answers, two.slowest, two.holders));
}
