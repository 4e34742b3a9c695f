//! What a person sees of a failing run: the diagram as text and as a page.

use std::time::Duration;

use dacapo_core::{
    Address, Body, CallId, Changes, Check, CheckKind, Effect, Event, ExchangeId, Level, Location, Message,
    NetError, NodeId, NoteKind, ObjectId, ObjectKey, Phase, ServiceId, Target, Time, TimerId,
};
use dacapo_trace::diagram::{Branch, Diagram, Fate, Inevitability, Options, Page, What};
use dacapo_trace::{Identity, Outcome, Part, Trace};
use http::Method;

use crate::tape::{answer, at, delivery, full, head, identity, note, record, transfer};

fn trace_of(identity: &Identity, parts: &[Part], outcome: Outcome) -> Trace {
    let (bytes, _) = record(identity, parts, outcome);
    Trace::read(bytes.as_slice()).expect("a whole recording")
}

fn three_nodes() -> Identity {
    Identity {
        nodes: vec!["n0".into(), "n1".into(), "workload".into()],
        services: vec!["teller".into(), "ledger".into()],
        overrides: Default::default(),
        ..identity()
    }
}

fn text(trace: &Trace, options: &Options, width: usize) -> String {
    let lines = Diagram::of(trace, options).text(width);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

const N0: u32 = 0;
const N1: u32 = 1;
const CLIENT: u32 = 2;

fn key() -> ObjectKey {
    let namespace = "ledger.Account";
    ObjectKey { namespace: namespace.into(), id: ObjectId::from_name(namespace, "ann") }
}

/// What a run is written down in.
#[derive(Default)]
struct Script {
    parts: Vec<Part>,
    calls: u64,
    exchanges: u64,
}

/// A call that is under way.
#[derive(Clone, Copy)]
struct Call {
    caller: Address,
    call: CallId,
    exchange: ExchangeId,
    to: Address,
}

impl Script {
    fn event(&mut self, micros: u64, to: Address, event: Event) {
        self.parts.push(delivery(micros, to, event));
    }

    fn effect(&mut self, from: Address, effect: Effect) {
        self.parts.push(Part::Effect(from, effect));
    }

    fn note(&mut self, micros: u64, kind: NoteKind, text: &str) {
        self.parts.push(note(micros, kind, text));
    }

    fn boot(&mut self, micros: u64, node: u32, incarnation: u32) {
        let entropy = dacapo_core::Entropy([node as u8; 32]);
        self.event(micros, at(node, 0), Event::Boot { entropy, incarnation });
    }

    /// Sends a request; the event in which it leaves must stand last.
    fn send(&mut self, micros: u64, caller: Address, to: Address, url: &str, body: &str) -> Call {
        self.calls += 1;
        let service = ServiceId(u32::from(to.node == NodeId(N1)));
        let target = Target::Service(to.node, service, None);
        let head = Box::new(head(Method::POST, url));
        let call = CallId(self.calls);
        self.effect(caller, Effect::Fetch { call, target, head, body: full(body) });
        self.carried(micros, Call { caller, call, exchange: ExchangeId(0), to })
    }

    /// Says that the call is carried as a request of its own.
    fn carried(&mut self, micros: u64, call: Call) -> Call {
        self.exchanges += 1;
        let exchange = ExchangeId(self.exchanges);
        let kind = NoteKind::Carries { exchange, caller: call.caller, call: call.call };
        self.note(micros, kind, "");
        Call { exchange, ..call }
    }

    fn reaches(&mut self, micros: u64, call: Call, url: &str, body: &str) {
        let service = ServiceId(u32::from(call.to.node == NodeId(N1)));
        let runtime = Address { instance: dacapo_core::InstanceId::RUNTIME, ..call.to };
        let request = Event::Request {
            exchange: call.exchange,
            service,
            from: None,
            object: (call.to.node == NodeId(N1)).then(|| Box::new(key())),
            head: Box::new(head(Method::POST, url)),
            body: full(body),
        };
        self.event(micros, runtime, request);
    }

    fn responds(&mut self, call: Call, status: u16, body: &str) {
        let respond = Effect::Respond { exchange: call.exchange, head: answer(status), body: full(body) };
        self.effect(call.to, respond);
    }

    fn answered(&mut self, micros: u64, call: Call, status: u16, body: &str) {
        let event = Event::Response { call: call.call, head: answer(status), body: full(body) };
        self.event(micros, call.caller, event);
    }
}

/// A client pays; the answer is lost, so it tries again, and the ledger counts twice. Before that
/// much happens that has nothing to do with it.
fn paid_twice() -> Vec<Part> {
    let mut run = Script::default();
    let (client, teller, ledger) = (at(CLIENT, 1), at(N0, 1), at(N1, 1));
    run.boot(0, N0, 0);
    run.boot(0, N1, 0);
    run.boot(0, CLIENT, 0);
    run.event(1, at(CLIENT, 0), Event::Phase(Phase::Drive));
    // Others, of whom nobody hears again.
    for n in 0..20 {
        let micros = 1_000 + 200_000 * n;
        run.event(micros, at(N0, 9), Event::Timer(TimerId(n)));
        let url = "https://ledger.internal/ping";
        let call = run.send(micros, at(N0, 9), at(N1, 9), url, &format!("ping {n}"));
        run.reaches(micros + 500, call, url, &format!("ping {n}"));
        run.responds(call, 200, "pong");
    }
    let pay = "https://bank.example/pay";
    run.event(5_000_000, client, Event::Timer(TimerId(99)));
    let first = run.send(5_000_000, client, teller, pay, "order-17 25");
    run.reaches(5_000_400, first, pay, "order-17 25");
    run.effect(teller, Effect::Log(Level::Info, "paying order-17".into()));
    let book = "https://ledger.internal/book";
    let inner = run.send(5_000_400, teller, ledger, book, "order-17 25");
    run.reaches(5_000_900, inner, book, "order-17 25");
    let changes = Changes { len: 4096, writes: vec![(0, vec![1].into())], alarm: None };
    run.effect(ledger, Effect::Commit(1, Box::new(key()), Box::new(changes)));
    run.event(5_001_500, ledger, Event::Committed(1, Ok(())));
    run.responds(inner, 200, "booked");
    run.note(5_001_500, NoteKind::Fault, "net.loss (silent) n1 → n0");
    run.note(5_600_000, NoteKind::FaultBegins, "process.pause n1");
    run.event(6_000_400, teller, Event::Timer(TimerId(1)));
    let retry = run.send(6_000_400, teller, ledger, book, "order-17 25");
    run.note(6_700_000, NoteKind::FaultEnds, "process.pause n1");
    run.reaches(6_700_000, retry, book, "order-17 25");
    run.responds(retry, 200, "booked");
    run.answered(6_700_500, retry, 200, "booked");
    run.responds(first, 200, "paid");
    run.answered(6_701_000, first, 200, "paid");
    run.note(7_000_000, NoteKind::Fault, "process.crash n0");
    run.event(7_000_000, at(N0, 0), Event::Crash);
    run.boot(7_900_000, N0, 1);
    run.event(9_000_000, at(CLIENT, 0), Event::Phase(Phase::Judge));
    let sum = run.send(9_000_000, client, ledger, "https://ledger.internal/sum", "all");
    run.reaches(9_000_300, sum, "https://ledger.internal/sum", "all");
    run.responds(sum, 200, "50");
    run.answered(9_000_700, sum, 200, "50");
    let check = Check {
        kind: CheckKind::Always,
        holds: false,
        message: "what is booked is what was paid".into(),
        details: Some("order-17: 50 booked, 25 paid".into()),
        location: Some(Location { file: "bank.sim.ts".into(), line: 3, column: 5 }),
    };
    run.effect(client, Effect::Check(Box::new(check)));
    run.effect(client, Effect::PhaseDone);
    run.parts
}

fn twice() -> Trace {
    trace_of(&three_nodes(), &paid_twice(), Outcome::Failed("what is booked is what was paid".into()))
}

#[test]
fn a_failing_run_reads_as_what_led_to_it() {
    insta::assert_snapshot!(text(&twice(), &Options::default(), 100), @r#"
                        workload     n0        n1
                                   teller    ledger
                                           Account/…
    #45      5.000000s      ○         │         │     timer
                            ├────────▶│         │     POST /pay to teller order-17 25
    #46      5.000400s      │         ·         │     paying order-17
                            │         ├────────▶│     POST /book to Account/d750f4cc order-17 25
    #48      5.001500s      │         │         ■     durable: 1 write of Account/d750f4cc
                            │         │   ✕─────┤     200 LOST: net.loss (silent) booked
                            ⋮         ⋮         ⋮     … 598.5 ms
             5.600000s      │         │         ▪     ▼ process.pause n1
                            ⋮         ⋮         ┃     … 400.4 ms
    #49      6.000400s      │         ○         ┃     timer
                            │         ├╌╌╌╌╌╌╌╌▷┃     POST /book to Account/d750f4cc the same again ord…
                            ⋮         ⋮         ┃     … 699.6 ms
             6.700000s      │         │         ▪     ▲ process.pause n1 ends
    #50                     │         ├╌╌╌╌╌╌╌╌▶│     POST /book (sent 699.6 ms before)
                            │         │◀────────┤     200 booked
    #51      6.700500s      │◀────────┤         │     200 paid
                            ⋮         ⋮         ⋮     … 2.30 s, 2 events left out
    #55      9.000000s      │         │         │     ── judge ──
                            ├─────────┼────────▶│     POST /sum to Account/d750f4cc all
    #56      9.000300s      │◀────────┼─────────┤     200 50
    #57      9.000700s      ✗         │         │     always "what is booked is what was paid" BROKEN
                                                      order-17: 50 booked, 25 paid
                                                      bank.sim.ts:3:5
                       … 46 of 57 events left out
    "#);
}

#[test]
fn a_narrow_terminal_gets_a_narrow_diagram() {
    let text = text(&twice(), &Options::default(), 72);
    assert!(text.lines().all(|line| line.chars().count() <= 72), "{text}");
    assert!(text.contains("BROKEN"), "{text}");
}

#[test]
fn what_nobody_heard_of_again_is_left_out_and_counted() {
    let trace = twice();
    let short = Diagram::of(&trace, &Options::default());
    assert!(short.arrows.iter().all(|arrow| !arrow.body.contains("ping")));
    assert!(short.left_out >= 40, "{}", short.left_out);
    let long = Diagram::of(&trace, &Options { rows: None, lanes: 8 });
    assert_eq!(long.arrows.iter().filter(|arrow| arrow.body.contains("ping")).count(), 20);
    assert!(long.left_out <= 4, "{}", long.left_out);
}

#[test]
fn there_are_no_more_rows_than_were_asked_for_and_the_broken_check_is_the_last() {
    let trace = twice();
    for rows in [4, 8, 12, 20, 40] {
        let diagram = Diagram::of(&trace, &Options { rows: Some(rows), lanes: 8 });
        let counts = |what: &What| !matches!(what, What::Gap { .. } | What::Phase(_));
        let shown = diagram.rows.iter().filter(|row| counts(&row.what)).count();
        // A request is drawn with its answer, so that the last one may go over the bound.
        assert!(shown <= rows + 3, "{shown} rows of {rows}");
        let last = diagram.rows.last().map(|row| &row.what);
        assert!(matches!(last, Some(What::Point(point)) if point.text.contains("BROKEN")), "{last:?}");
    }
}

#[test]
fn only_as_many_lanes_are_drawn_as_fit() {
    let diagram = Diagram::of(&twice(), &Options { rows: Some(40), lanes: 2 });
    assert_eq!(diagram.lanes.len(), 2);
    assert_eq!(diagram.lanes[0].name, "workload", "the broken check's lane is one of them");
    assert!(diagram.arrows.iter().all(|arrow| arrow.from < 2 && arrow.to < 2));
}

#[test]
fn a_lost_message_says_what_lost_it() {
    let diagram = Diagram::of(&twice(), &Options::default());
    let lost: Vec<_> = diagram.arrows.iter().filter(|arrow| matches!(arrow.fate, Fate::Lost(_))).collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0].fate, Fate::Lost("net.loss (silent)".into()));
    assert_eq!((lost[0].text.as_str(), lost[0].body.as_str()), ("200", "booked"));
}

#[test]
fn a_call_to_a_node_that_is_down_or_cut_off_is_lost_to_that() {
    let mut run = Script::default();
    let client = at(CLIENT, 1);
    run.boot(0, CLIENT, 0);
    run.event(1, at(CLIENT, 0), Event::Phase(Phase::Drive));
    run.event(10, at(N0, 0), Event::Crash);
    run.event(20, client, Event::Timer(TimerId(1)));
    let down = run.send(20, client, at(N0, 1), "https://a/down", "1");
    run.event(40, client, Event::Failed(down.call, NetError::Refused));
    run.note(50, NoteKind::FaultBegins, "net.partition n0 n1 | workload");
    run.event(60, client, Event::Timer(TimerId(2)));
    let cut = run.send(60, client, at(N1, 1), "https://a/cut", "2");
    run.note(70, NoteKind::FaultEnds, "net.partition");
    run.event(90, client, Event::Failed(cut.call, NetError::TimedOut));
    let check = Check {
        kind: CheckKind::Always,
        holds: false,
        message: "all is well".into(),
        details: None,
        location: None,
    };
    run.effect(client, Effect::Check(Box::new(check)));
    let diagram = Diagram::of(
        &trace_of(&three_nodes(), &run.parts, Outcome::Failed("all is well".into())),
        &Options::default(),
    );
    let fates: Vec<_> = diagram.arrows.iter().map(|it| (it.text.as_str(), it.fate.clone())).collect();
    let lost = |why: &str| Fate::Lost(why.into());
    let expected = [("POST /down", lost("its receiver is down")), ("POST /cut", lost("net.partition"))];
    assert_eq!(fates, expected);
}

#[test]
fn a_request_that_arrives_twice_is_two_arrows() {
    let mut run = Script::default();
    let (client, ledger) = (at(CLIENT, 1), at(N1, 1));
    run.event(1, at(CLIENT, 0), Event::Phase(Phase::Drive));
    run.event(10, client, Event::Timer(TimerId(1)));
    let url = "https://ledger.internal/put";
    let call = run.send(10, client, ledger, url, "x");
    run.note(10, NoteKind::Fault, "net.duplicate workload → n1");
    let copy = run.carried(10, call);
    run.reaches(20, call, url, "x");
    run.responds(call, 200, "1");
    run.reaches(30, copy, url, "x");
    run.responds(copy, 200, "2");
    run.answered(40, call, 200, "1");
    let trace = trace_of(&three_nodes(), &run.parts, Outcome::Passed);
    insta::assert_snapshot!(text(&trace, &Options { rows: None, lanes: 8 }, 90), @"
                        workload     n1
                                   ledger
                                 Account/…
    #1       0.000001s      │         │     ── drive ──
    #2       0.000010s      ○         │     timer
                            ├╌╌╌╌╌╌╌╌▷│     POST /put to Account/d750f4cc x
                            ▪         ▪     net.duplicate workload → n1
    #3       0.000020s      ├╌╌╌╌╌╌╌╌▶│     POST /put (sent 10 µs before)
                            │◁╌╌╌╌╌╌╌╌┤     200 1
    #4       0.000030s      ├╌╌╌╌╌╌╌╌▶│     POST /put (sent 20 µs before) once more
                            │   ✕─────┤     200 LOST: nobody waits for the answer to a copy 2
    #5       0.000040s      │◀╌╌╌╌╌╌╌╌┤     200 (sent 20 µs before)
    ");
}

#[test]
fn messages_between_runtimes_are_arrows_too() {
    let say = |name: &'static str| Box::new(Message { name: name.into(), body: vec![1, 2, 3].into() });
    let mut run = Script::default();
    run.event(1, at(N0, 0), Event::Timer(TimerId(1)));
    run.effect(at(N0, 0), Effect::Send(NodeId(N1), say("seal")));
    run.effect(at(N0, 0), Effect::Send(NodeId(N1), say("append")));
    run.event(5, at(N1, 0), Event::Message(NodeId(N0), say("append")));
    run.event(9, at(N1, 0), Event::Message(NodeId(N0), say("append")));
    let trace = trace_of(&three_nodes(), &run.parts, Outcome::Passed);
    insta::assert_snapshot!(text(&trace, &Options { rows: None, lanes: 8 }, 80), @"
                         n0    n1
    #1       0.000001s    ○     │   timer
                          ├╌╌╌╌▷│   seal (under way at the end) 3 B
                          ├────▶│   append 3 B
    #3       0.000009s    ├╌╌╌╌▶│   append (sent 8 µs before) once more
    ");
}

#[test]
fn a_recording_without_a_failure_or_without_anything_is_drawn_as_well() {
    let passed = trace_of(&identity(), &transfer()[..8], Outcome::Passed);
    assert!(text(&passed, &Options::default(), 100).contains("POST /transfer"));
    let empty = trace_of(&identity(), &[], Outcome::Stopped("by hand".into()));
    assert_eq!(text(&empty, &Options::default(), 100).trim(), "");
    assert!(Page::default().html(&Diagram::of(&empty, &Options::default())).contains("by hand"));
}

#[test]
fn the_diagram_of_a_recording_is_always_the_same() {
    let (one, two) = (twice(), twice());
    let html = |trace| Page::default().html(&Diagram::of(trace, &Options::default()));
    assert_eq!(html(&one), html(&two));
}

fn source(file: &str) -> Option<String> {
    (file == "bank.sim.ts").then(|| "one\ntwo\nalways(sum === paid);\n<script>four</script>\n".into())
}

#[test]
fn the_page_has_the_broken_check_its_source_and_what_it_was_given() {
    let branches = [0, 3, 20].into_iter().zip(1u64..);
    let branches = branches.map(|(failed, n)| Branch { event: n, at: Time(n * 1000), failed, runs: 20 });
    let graph = Inevitability::new(branches.collect());
    let decisions = ["net.loss #3: 1 of 20".to_owned()];
    let page = Page {
        repeat: "dacapo sim bank --seed 42",
        strategy: "crashes first",
        decisions: &decisions,
        inevitability: Some(&graph),
        source: Some(&source),
    };
    let html = page.html(&Diagram::of(&twice(), &Options::default()));
    for part in [
        "<h1>what is booked is what was paid</h1>",
        "order-17: 50 booked, 25 paid",
        "always(sum === paid);",
        "&lt;script&gt;four",
        "dacapo sim bank --seed 42",
        "crashes first",
        "net.loss #3: 1 of 20",
        "inevitable from #3 on",
        "lost: net.loss",
        "process.pause",
        "Content-Security-Policy",
    ] {
        assert!(html.contains(part), "no {part} in {html}");
    }
    // It needs nothing but itself.
    for part in ["<script", "http-equiv=\"refresh\"", "src=", "href=", "@import", "url(http"] {
        assert!(!html.contains(part), "{part} in {html}");
    }
}

#[test]
fn no_text_of_a_guest_becomes_markup() {
    const EVIL: &str = "</script></style></svg><img src=x onerror=alert(1)>\"'--><b>\u{1b}[2J\u{202e}";
    let mut run = Script::default();
    let (client, teller) = (at(CLIENT, 1), at(N0, 1));
    run.event(1, at(CLIENT, 0), Event::Phase(Phase::Drive));
    run.event(10, client, Event::Timer(TimerId(1)));
    let url = format!("https://bank.example/{EVIL}");
    let call = run.send(10, client, teller, &url, EVIL);
    run.note(11, NoteKind::FaultBegins, EVIL);
    run.note(11, NoteKind::Fault, &format!("process.pause n0 {EVIL}"));
    run.reaches(20, call, &url, EVIL);
    run.effect(teller, Effect::Log(Level::Error, EVIL.into()));
    run.responds(call, 500, EVIL);
    run.answered(30, call, 500, EVIL);
    run.event(40, client, Event::Failed(CallId(7), NetError::Broken(EVIL.into())));
    let check = Check {
        kind: CheckKind::Always,
        holds: false,
        message: EVIL.into(),
        details: Some(EVIL.into()),
        location: Some(Location { file: EVIL.into(), line: 1, column: 1 }),
    };
    run.effect(client, Effect::Check(Box::new(check)));
    let evil = || EVIL.to_owned();
    let identity = Identity {
        tool: evil(),
        project: evil(),
        scenario: Some(evil()),
        engine: evil(),
        nodes: vec![evil(), "n1".into(), evil()],
        services: vec![evil(), evil()],
        ..identity()
    };
    let trace = trace_of(&identity, &run.parts, Outcome::Failed(evil()));
    let decisions = [evil()];
    let page = Page {
        repeat: EVIL,
        strategy: EVIL,
        decisions: &decisions,
        inevitability: None,
        source: Some(&|_| Some(evil())),
    };
    for rows in [Some(40), None] {
        let diagram = Diagram::of(&trace, &Options { rows, lanes: 8 });
        let html = page.html(&diagram);
        assert!(html.contains("onerror=alert(1)&gt;"), "it is there, as text");
        for part in ["<img", "<script", "</script", "<b>", "\u{1b}", "\u{202e}"] {
            assert!(!html.contains(part), "{part:?}");
        }
        // One of each of these is the page's own.
        assert_eq!(html.matches("</style>").count(), 1);
        assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
        let text = diagram.text(100).into_iter().chain(diagram.source(&|_| Some(evil())));
        for line in text {
            assert!(!line.to_string().contains(['\u{1b}', '\u{202e}']), "{line}");
        }
    }
}

#[test]
fn a_timer_says_when_it_was_set() {
    let mut run = Script::default();
    let client = at(CLIENT, 1);
    run.event(1, at(CLIENT, 0), Event::Phase(Phase::Judge));
    run.effect(client, Effect::SetTimer(TimerId(1), Duration::from_secs(30)));
    run.event(30_000_001, client, Event::Timer(TimerId(1)));
    run.effect(
        client,
        Effect::Fetch {
            call: CallId(1),
            target: Target::Outside("pay.example".into()),
            head: Box::new(head(Method::GET, "https://pay.example/")),
            body: Body::Empty,
        },
    );
    let trace = trace_of(&three_nodes(), &run.parts, Outcome::Passed);
    insta::assert_snapshot!(text(&trace, &Options { rows: None, lanes: 8 }, 80), @"
                       outside worklo…
    #1       0.000001s     │       │    ── judge ──
                           ⋮       ⋮    … 30.0 s
    #2      30.000001s     │       ○    timer, set 30.0 s before
                           │◀──────┤    GET / to pay.example
    ");
}
