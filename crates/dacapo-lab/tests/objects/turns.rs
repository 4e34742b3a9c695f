//! The runtime of one node, event by event: what leaves it when, in orders of events that a simulated
//! world seldom brings about.

use std::rc::Rc;
use std::time::Duration;

use dacapo_core::plan::{ObjectClass, Plan, Service as Planned};
use dacapo_core::{
    Address, Body, CallId, Changes, Chunk, Delivery, Effect, Entropy, Event, ExchangeId, Headers, Image,
    InstanceId, NodeId, ObjectId, ObjectKey, RequestHead, ServiceId, StorageError, StorageErrorKind, Time,
    TimerId, WallTime,
};
use dacapo_lab::prelude::*;
use dacapo_native::program_with_object;
use dacapo_runtime::{Runtime, System, Topology};
use dacapo_store::Sqlite;

const NAMESPACE: &str = "things.Thing";
const OBJECT: InstanceId = InstanceId(1);
const NEXT: InstanceId = InstanceId(2);

/// Does what the path says.
struct Does(Guest);

impl Service for Does {
    fn start(guest: Guest) -> Does {
        Does(guest)
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let guest = &self.0;
        match request.path() {
            "/write" => guest.storage(|s| s.put("key", request.text().as_bytes())).expect("it is taken"),
            "/alone" => guest.alone(guest.sleep(Duration::from_secs(1))).await,
            "/alarm" => {
                let at = request.text().parse().map(WallTime).ok();
                guest.storage(|s| s.set_alarm(at)).expect("it is taken");
            }
            "/call" => {
                let guest = guest.clone();
                self.0.spawn(async move {
                    let _ = guest.fetch(Request::get("https://things.example/")).await;
                });
            }
            "/panic" => panic!("as it was told"),
            _ => {}
        }
        Response::text(request.text())
    }
}

/// A node, and what has left it so far.
struct Node {
    runtime: Runtime,
    now: Time,
    requests: u64,
}

fn key() -> ObjectKey {
    ObjectKey { namespace: NAMESPACE.into(), id: ObjectId::from_name(NAMESPACE, "x") }
}

fn wall(seconds: i64) -> WallTime {
    WallTime(WallTime::SIM_START.0 + seconds * 1_000_000_000)
}

fn failure() -> StorageError {
    StorageError::new(StorageErrorKind::Full, "the disk is full")
}

impl Node {
    /// A node whose store has these alarms.
    fn new(alarms: &[(ObjectKey, WallTime)]) -> (Node, Vec<String>) {
        let idle = Duration::from_secs(10);
        let class = ObjectClass { name: "Thing".into(), namespace: NAMESPACE.into(), idle, workflow: None };
        let service = Planned { name: "things".into(), objects: vec![class], ..Planned::default() };
        let plan = Plan { services: vec![service], ..Plan::default() };
        let topology = Topology::spread(&plan, 1);
        let programs = vec![program_with_object::<(), Does>("things")];
        let system = System::new(plan, topology, programs).with_storage(Rc::new(Sqlite));
        let runtime = Runtime::new(NodeId(0), Rc::new(system));
        let mut node = Node { runtime, now: Time::ZERO, requests: 0 };
        node.give(InstanceId::RUNTIME, Event::Boot { entropy: Entropy([0; 32]), incarnation: 0 });
        let told = node.give(InstanceId::RUNTIME, Event::StoreOpened(Ok(alarms.to_vec())));
        (node, told)
    }

    /// A node whose object is in memory.
    fn with_object() -> Node {
        let (mut node, _) = Node::new(&[]);
        node.ask("/", "hello");
        node.give(OBJECT, Event::Loaded(Ok(None)));
        node
    }

    /// Gives an event; tells what leaves.
    fn give(&mut self, to: InstanceId, event: Event) -> Vec<String> {
        let at = self.now;
        let address = Address { node: NodeId(0), instance: to };
        let wall = WallTime(WallTime::SIM_START.0 + at.0 as i64);
        let mut out = dacapo_core::Outbox::new();
        self.runtime.deliver(Delivery { at, now: at, wall, to: address, event }, &mut out);
        out.iter().map(|(from, effect)| tell(from, effect)).collect()
    }

    fn request(&mut self, path: &str, body: Body) -> Vec<String> {
        self.requests += 1;
        let url = format!("https://things.example{path}");
        let head = RequestHead { method: http::Method::POST, url: url.into(), headers: Headers::default() };
        let (exchange, object) = (ExchangeId(self.requests), Some(Box::new(key())));
        let event = Event::Request {
            exchange,
            service: ServiceId(0),
            from: None,
            object,
            head: Box::new(head),
            body,
        };
        self.give(InstanceId::RUNTIME, event)
    }

    fn ask(&mut self, path: &str, body: &str) -> Vec<String> {
        self.request(path, Body::from_bytes(body.to_owned().into()))
    }

    fn passes(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }
}

/// An effect in words; of a commit only its number and what it does to the alarm.
fn tell(from: Address, effect: &Effect) -> String {
    let from =
        if from.instance == InstanceId::RUNTIME { "runtime".to_owned() } else { from.instance.0.to_string() };
    let what = match effect {
        Effect::Load(_) => "loads".to_owned(),
        Effect::Commit(number, _, changes) => {
            let Changes { writes, alarm, .. } = &**changes;
            let alarm = alarm.map(|at| at.map_or(-1, |at| (at.0 - WallTime::SIM_START.0) / 1_000_000_000));
            let writes = if writes.is_empty() { "" } else { " writes" };
            format!("commit {number}{writes}{}", alarm.map_or(String::new(), |at| format!(" alarm {at}")))
        }
        Effect::Respond { exchange, head, .. } => format!("answers {} {}", exchange.0, head.status.as_u16()),
        Effect::SetTimer(timer, wait) | Effect::SetTrigger(timer, _, wait) => {
            format!("timer {} in {}s", timer.0 & 0xffff, wait.as_secs())
        }
        Effect::ClearTimer(timer) => format!("no timer {}", timer.0 & 0xffff),
        Effect::Log(level, _) => format!("log {level:?}"),
        Effect::Fetch { call, .. } => format!("call {}", call.0),
        Effect::Ended(..) => "ended".to_owned(),
        other => format!("{other:?}"),
    };
    format!("{from}: {what}")
}

fn timer(number: u64) -> Event {
    Event::Timer(TimerId(1 << 32 | number))
}

#[test]
fn what_is_written_during_a_commit_goes_with_the_next() {
    let mut node = Node::with_object();
    assert_eq!(node.ask("/write", "a"), ["1: commit 1 writes"]);
    assert_eq!(node.ask("/write", "b"), [""; 0]);
    assert_eq!(node.ask("/write", "c"), [""; 0]);
    assert_eq!(node.give(OBJECT, Event::Committed(1, Ok(()))), ["1: commit 2 writes", "1: answers 2 200"]);
    assert_eq!(node.ask("/", ""), [""; 0], "who only reads has seen what is not durable, too");
    let told = node.give(OBJECT, Event::Committed(2, Ok(())));
    assert_eq!(told, ["1: answers 3 200", "1: answers 4 200", "1: answers 5 200"]);
    assert_eq!(node.ask("/", ""), ["1: answers 6 200"]);
}

#[test]
fn after_a_failed_commit_nothing_goes_to_the_disk_that_was_built_upon_it() {
    let mut node = Node::with_object();
    node.ask("/write", "a");
    node.ask("/write", "b");
    let told = node.give(OBJECT, Event::Committed(1, Err(failure())));
    assert_eq!(told, ["1: log Error", "runtime: answers 2 500", "runtime: answers 3 500", "1: ended"]);
    assert_eq!(node.ask("/", ""), ["2: loads"], "the next one is what the disk has");
}

#[test]
fn the_body_of_a_request_does_not_enter_before_the_request() {
    let mut node = Node::with_object();
    assert_eq!(node.ask("/alone", ""), ["1: timer 1 in 1s"]);
    assert_eq!(node.request("/", Body::Stream), [""; 0]);
    let chunk = Chunk::Data("all of it".into());
    assert_eq!(node.give(InstanceId::RUNTIME, Event::RequestChunk(ExchangeId(3), chunk)), [""; 0]);
    assert_eq!(node.give(InstanceId::RUNTIME, Event::RequestChunk(ExchangeId(3), Chunk::End)), [""; 0]);
    let told = node.give(OBJECT, Event::Timer(TimerId(1)));
    assert_eq!(told, ["1: answers 2 200", "1: RequestPull(ExchangeId(3), 9)", "1: answers 3 200"]);
}

#[test]
fn a_request_that_was_cancelled_while_it_waited_never_enters() {
    let mut node = Node::with_object();
    node.ask("/alone", "");
    node.ask("/write", "a");
    assert_eq!(node.give(InstanceId::RUNTIME, Event::Cancelled(ExchangeId(3))), [""; 0]);
    assert_eq!(node.give(OBJECT, Event::Timer(TimerId(1))), ["1: answers 2 200"]);
    let (mut node, _) = Node::new(&[]);
    node.ask("/write", "a");
    node.give(InstanceId::RUNTIME, Event::Cancelled(ExchangeId(1)));
    assert_eq!(node.give(OBJECT, Event::Loaded(Ok(None))), ["runtime: timer 1 in 10s"]);
}

/// A node whose object has an alarm at second 100, and is in memory.
fn with_alarm() -> Node {
    let (mut node, told) = Node::new(&[(key(), wall(100))]);
    assert_eq!(told, ["runtime: timer 1 in 100s"]);
    node.ask("/", "");
    let image = Image { alarm: Some(wall(100)), ..Image::default() };
    assert_eq!(
        node.give(OBJECT, Event::Loaded(Ok(Some(image)))),
        ["runtime: timer 2 in 10s", "1: answers 1 200"]
    );
    node
}

#[test]
fn an_alarm_is_set_anew_when_that_is_durable_and_not_earlier() {
    let later = wall(200).0.to_string();
    let mut node = with_alarm();
    assert_eq!(node.ask("/alarm", &later), ["1: commit 1 alarm 200"]);
    let told = node.give(OBJECT, Event::Committed(1, Ok(())));
    assert_eq!(told, ["runtime: no timer 1", "runtime: timer 3 in 200s", "1: answers 2 200"]);
}

#[test]
fn an_alarm_whose_change_fails_rings_as_the_disk_has_it() {
    let later = wall(200).0.to_string();
    let mut node = with_alarm();
    node.ask("/alarm", &later);
    let told = node.give(OBJECT, Event::Committed(1, Err(failure())));
    assert_eq!(told, ["1: log Error", "runtime: answers 2 500", "1: ended"]);
    node.passes(100);
    assert_eq!(node.give(InstanceId::RUNTIME, timer(1)), ["2: loads"]);
    // The same, but it rings while the change is under way.
    let mut node = with_alarm();
    node.ask("/alarm", &later);
    node.passes(100);
    assert_eq!(node.give(InstanceId::RUNTIME, timer(1)), ["runtime: timer 3 in 30s"]);
    node.give(OBJECT, Event::Committed(1, Err(failure())));
    node.passes(30);
    assert_eq!(node.give(InstanceId::RUNTIME, timer(3)), ["2: loads"]);
}

#[test]
fn an_alarm_that_becomes_durable_after_its_object_has_ended_rings() {
    let mut node = Node::with_object();
    assert_eq!(node.ask("/alarm", &wall(50).0.to_string()), ["1: commit 1 alarm 50"]);
    let told = node.ask("/panic", "");
    assert_eq!(told, ["1: log Error", "runtime: answers 2 500", "runtime: answers 3 500", "1: ended"]);
    assert_eq!(node.give(OBJECT, Event::Committed(1, Ok(()))), ["runtime: timer 2 in 50s"]);
}

#[test]
fn an_alarm_of_an_object_that_cannot_be_read_rings_again_later() {
    let (mut node, _) = Node::new(&[(key(), wall(1))]);
    node.passes(1);
    assert_eq!(node.give(InstanceId::RUNTIME, timer(1)), ["1: loads"]);
    let told = node.give(OBJECT, Event::Loaded(Err(failure())));
    assert_eq!(told, ["runtime: timer 2 in 30s", "runtime: log Error"]);
    node.passes(30);
    assert_eq!(node.give(InstanceId::RUNTIME, timer(2)), ["2: loads"]);
    assert_eq!(
        node.give(NEXT, Event::Loaded(Ok(Some(Image { alarm: Some(wall(1)), ..Image::default() })))),
        ["runtime: timer 3 in 10s", "2: commit 1 alarm -1"]
    );
}

#[test]
fn an_alarm_of_a_class_that_is_gone_is_told_of_and_does_not_ring() {
    let gone = ObjectKey { namespace: "things.Gone".into(), ..key() };
    let (_, told) = Node::new(&[(gone, wall(1)), (key(), wall(2))]);
    assert_eq!(told, ["runtime: log Warn", "runtime: timer 1 in 2s"]);
}

#[test]
fn a_node_that_stops_waits_for_the_object_that_is_being_read_and_rings_no_alarm() {
    let (mut node, _) = Node::new(&[(key(), wall(1))]);
    node.passes(1);
    node.give(InstanceId::RUNTIME, timer(1));
    assert_eq!(node.ask("/write", "a"), [""; 0]);
    assert_eq!(node.give(InstanceId::RUNTIME, Event::Stop), [""; 0]);
    let image = Image { alarm: Some(wall(1)), ..Image::default() };
    let told = node.give(OBJECT, Event::Loaded(Ok(Some(image))));
    assert_eq!(told, ["runtime: timer 2 in 10s", "runtime: timer 3 in 30s", "1: commit 1 writes"]);
    let told = node.give(OBJECT, Event::Committed(1, Ok(())));
    assert_eq!(told, ["1: answers 1 200", "runtime: Stopped"]);
    node.passes(30);
    assert_eq!(node.give(InstanceId::RUNTIME, timer(3)), [""; 0]);
}

#[test]
fn an_object_stays_in_memory_while_it_waits_for_an_answer() {
    let mut node = Node::with_object();
    assert_eq!(node.ask("/call", ""), ["1: answers 2 200", "1: call 1"]);
    node.passes(60);
    assert_eq!(node.give(InstanceId::RUNTIME, timer(1)), ["runtime: timer 2 in 10s"]);
    node.give(OBJECT, Event::Failed(CallId(1), dacapo_core::NetError::Refused));
    node.passes(60);
    assert_eq!(node.give(InstanceId::RUNTIME, timer(2)), [""; 0]);
    assert_eq!(node.ask("/", ""), ["2: loads"]);
}
