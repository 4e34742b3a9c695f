//! The blocks `queue` and `kv`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use dacapo_core::plan::Queue;
use hcl_edit::structure::Block;

use super::service::ServiceDraft;
use crate::Code;
use crate::error::Place;
use crate::read::{Fields, NameRule, Placed, Reader, Shape};

const QUEUE: Shape = Shape {
    attributes: &[
        "batch",
        "concurrency",
        "consumer",
        "dead_letter",
        "delay",
        "retries",
        "retry_delay",
        "wait",
    ],
    blocks: &[],
    hints: &[
        ("max_batch_size", "That is `batch`."),
        ("max_batch_timeout", "That is `wait`, a length of time: wait = \"5s\"."),
        ("max_retries", "That is `retries`."),
        ("dead_letter_queue", "That is `dead_letter`."),
        ("max_concurrency", "That is `concurrency`."),
    ],
};

const KV: Shape = Shape { attributes: &[], blocks: &[], hints: &[] };

/// As at Cloudflare.
const WAIT_MAX: Duration = Duration::from_secs(60);
const DELAY_MAX: Duration = Duration::from_secs(12 * 3600);

/// The queues and KV namespaces that were read.
#[derive(Default)]
pub(super) struct Stores {
    pub(super) queues: Vec<QueueDraft>,
    pub(super) kv: Vec<Placed<String>>,
}

/// A queue that was read, and the places that are checked against other blocks.
pub(super) struct QueueDraft {
    pub(super) queue: Queue,
    pub(super) name: Placed<String>,
    consumer: Option<Placed<String>>,
    dead_letter: Option<Placed<String>>,
}

pub(super) fn read(reader: &mut Reader, block: &Block) -> Option<QueueDraft> {
    let name = reader.label(block)?;
    reader.check_name(NameRule::Store, "a queue", &name);
    let fields = reader.fields(&format!("queue {:?}", name.value), name.place.clone(), &block.body, &QUEUE);
    let consumer = reader.required(&fields, "consumer", "\"worker\"  (a service with a `queue` handler)");
    let consumer = consumer.and_then(|value| reader.string(value, "`consumer`", "consumer = \"worker\""));
    let dead_letter = fields
        .get("dead_letter")
        .and_then(|value| reader.string(value, "`dead_letter`", "dead_letter = \"dead\""));
    let queue = Queue {
        name: name.value.clone(),
        consumer: consumer.as_ref().map(|it| it.value.clone()).unwrap_or_default(),
        batch: count(reader, &fields, "batch", 1..=100, 10),
        wait: time(reader, &fields, "wait", WAIT_MAX, Duration::from_secs(5)),
        retries: count(reader, &fields, "retries", 0..=100, 3),
        delay: time(reader, &fields, "delay", DELAY_MAX, Duration::ZERO),
        retry_delay: time(reader, &fields, "retry_delay", DELAY_MAX, Duration::ZERO),
        concurrency: count(reader, &fields, "concurrency", 1..=250, 10),
        dead_letter: dead_letter.as_ref().map(|it| it.value.clone()),
    };
    Some(QueueDraft { queue, name, consumer, dead_letter })
}

pub(super) fn read_kv(reader: &mut Reader, block: &Block) -> Option<Placed<String>> {
    let name = reader.label(block)?;
    reader.check_name(NameRule::Store, "a KV namespace", &name);
    reader.fields(&format!("kv {:?}", name.value), name.place.clone(), &block.body, &KV);
    Some(name)
}

fn count(
    reader: &mut Reader,
    fields: &Fields<'_>,
    name: &str,
    range: RangeInclusive<u64>,
    default: u32,
) -> u32 {
    let example = format!("{name} = {default}");
    let value = fields.get(name).and_then(|e| reader.integer(e, &format!("`{name}`"), range, &example));
    value.map_or(default, |n| n.value as u32)
}

fn time(reader: &mut Reader, fields: &Fields<'_>, name: &str, max: Duration, default: Duration) -> Duration {
    let Some(value) = fields.get(name) else { return default };
    let what = format!("`{name}`");
    let Some(time) = reader.duration(value, &what, Duration::ZERO) else { return default };
    if time > max {
        let help = format!("It is at most {}.", humantime::format_duration(max));
        let place = reader.place_of(value);
        reader.report(Code::Range, format!("{what} is too long"), &place, "out of range", help);
    }
    time
}

/// What must hold between queues, KV namespaces and services.
pub(super) fn check(reader: &mut Reader, services: &[ServiceDraft], stores: &Stores) {
    names_differ(reader, "queues", stores.queues.iter().map(|draft| &draft.name));
    names_differ(reader, "KV namespaces", stores.kv.iter());
    let queues: Vec<&str> = stores.queues.iter().map(|draft| draft.name.value.as_str()).collect();
    let kv: Vec<&str> = stores.kv.iter().map(|name| name.value.as_str()).collect();
    for service in services {
        for to in &service.queues {
            let example = format!("queue {:?} {{ consumer = {:?} }}", to.value, service.name.value);
            known(reader, "queue", to, &queues, &example);
        }
        for to in &service.kv {
            known(reader, "KV namespace", to, &kv, &format!("kv {:?} {{}}", to.value));
        }
    }
    for draft in &stores.queues {
        if let Some(consumer) = &draft.consumer {
            consumer_is_there(reader, consumer, services);
        }
        let Some(dead) = &draft.dead_letter else { continue };
        if dead.value == draft.name.value {
            let message = format!("queue {:?} is its own dead-letter queue", draft.name.value);
            let help = "What cannot be handled would come back for ever: name another queue, or none, and what was \
                        tried too often is dropped.";
            reader.report(Code::Contradiction, message, &dead.place, "itself", help);
            continue;
        }
        let example = format!("queue {:?} {{ consumer = {:?} }}", dead.value, draft.queue.consumer);
        known(reader, "queue", dead, &queues, &example);
    }
    dead_letters_end(reader, stores);
}

fn names_differ<'a>(reader: &mut Reader, what: &str, names: impl Iterator<Item = &'a Placed<String>>) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for name in names {
        if let Some(first) = seen.insert(&name.value, &name.place) {
            let message = format!("there are two {what} {:?}", name.value);
            let (here, there) = ((&name.place, "again here"), (first, "first here"));
            reader.report_both(Code::Repeated, message, here, there, "Give one of them another name.");
        }
    }
}

fn known(reader: &mut Reader, what: &str, name: &Placed<String>, names: &[&str], example: &str) {
    if names.contains(&name.value.as_str()) || reader.has_gaps {
        return;
    }
    let message = format!("there is no {what} {:?}", name.value);
    let meant = reader.did_you_mean(&name.value, names.iter().copied());
    let help = if meant.starts_with("Did") { meant } else { format!("Declare it:  {example}") };
    reader.report(Code::UnknownQueue, message, &name.place, format!("unknown {what}"), help);
}

fn consumer_is_there(reader: &mut Reader, consumer: &Placed<String>, services: &[ServiceDraft]) {
    if services.iter().any(|service| service.name.value == consumer.value) || reader.has_gaps {
        return;
    }
    let message = format!("`consumer` names a service {:?}, and there is none", consumer.value);
    let help = reader.did_you_mean(&consumer.value, services.iter().map(|s| s.name.value.as_str()));
    reader.report(Code::UnknownService, message, &consumer.place, "unknown service", help);
}

/// A message that goes round in dead-letter queues is never at its end.
fn dead_letters_end(reader: &mut Reader, stores: &Stores) {
    let next = |name: &str| {
        let draft = stores.queues.iter().find(|draft| draft.name.value == name)?;
        draft.dead_letter.as_ref()
    };
    for draft in &stores.queues {
        let mut way = vec![draft.name.value.as_str()];
        while let Some(dead) = next(way[way.len() - 1]).filter(|_| way.len() <= stores.queues.len()) {
            if way.contains(&dead.value.as_str()) && dead.value != draft.name.value
                || way.len() == 1 && dead.value == way[0]
            {
                // A round that this queue leads to, or one of a single queue: told there.
                break;
            }
            if dead.value == draft.name.value {
                // Told once, at the queue of the round whose name comes first.
                if way.iter().all(|name| draft.name.value.as_str() <= *name) {
                    let message = format!("dead letters go round: {} → {}", way.join(" → "), dead.value);
                    let help = "A message that nobody can handle would never be at its end: let one of these queues \
                                have no `dead_letter`.";
                    reader.report(Code::Contradiction, message, &dead.place, "back to the first", help);
                }
                break;
            }
            way.push(&dead.value);
        }
    }
}
