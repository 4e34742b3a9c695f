//! The services that the platform itself adds to a project: those that keep queues and KV namespaces.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_core::plan::{
    KV, KV_CLASS, Limits, ObjectClass, Plan, QUEUE_CLASS, QUEUES, Queue, Service, builtin_namespace,
};

/// The objects of queues and KV namespaces leave memory as others do.
const IDLE: Duration = Duration::from_secs(10);

/// Adds what the queues and KV namespaces of the plan need.
pub(super) fn add(plan: &mut Plan) {
    if !plan.queues.is_empty() {
        let service = queues(&plan.queues);
        plan.services.push(service);
    }
    if !plan.kv.is_empty() {
        plan.services.push(service(KV, KV_CLASS));
    }
}

fn service(name: &str, class: &str) -> Service {
    Service {
        name: name.to_owned(),
        module: name.to_owned(),
        objects: vec![ObjectClass {
            name: class.to_owned(),
            namespace: builtin_namespace(name, class),
            idle: IDLE,
            workflow: None,
        }],
        // A value of the greatest length is held several times while it is on its way.
        limits: Limits { memory_max: 512 << 20, ..Limits::default() },
        ..Service::default()
    }
}

fn queues(queues: &[Queue]) -> Service {
    let settings: Vec<String> = queues.iter().map(|q| format!("{:?}:{}", q.name, settings(q))).collect();
    let mut service = service(QUEUES, QUEUE_CLASS);
    service.calls = queues.iter().map(|q| (q.consumer.clone(), q.consumer.clone())).collect();
    service.object_calls =
        BTreeMap::from([(QUEUE_CLASS.to_owned(), (QUEUES.to_owned(), QUEUE_CLASS.to_owned()))]);
    service.vars = BTreeMap::from([("queues".to_owned(), format!("{{{}}}", settings.join(",")))]);
    service
}

/// What the class of queues is told of one, as JSON. (Names are letters, digits and `-`.)
fn settings(queue: &Queue) -> String {
    let millis = |time: Duration| time.as_millis();
    let dead = queue.dead_letter.as_ref().map_or_else(|| "null".to_owned(), |name| format!("{name:?}"));
    format!(
        "{{\"consumer\":{:?},\"batch\":{},\"wait\":{},\"retries\":{},\"delay\":{},\"retryDelay\":{},\
         \"concurrency\":{},\"deadLetter\":{dead}}}",
        queue.consumer,
        queue.batch,
        millis(queue.wait),
        queue.retries,
        millis(queue.delay),
        millis(queue.retry_delay),
        queue.concurrency,
    )
}
