//! The least that a cluster can do: one side asks, the other answers, again and again.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::plan::{Plan, Scenario, Service as ServicePlan};
use dacapo_core::{Boot, Digest, Instance, Program, digest_of};
use dacapo_lab::prelude::*;
use dacapo_native::{Task, program, workload};

/// Answers `ping` with `pong`.
struct Ponger;

impl Service for Ponger {
    fn start(_: Guest) -> Ponger {
        Ponger
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        assert_eq!(request.body, &b"ping"[..]);
        Response::new(http::StatusCode::OK, &b"pong"[..])
    }
}

/// Makes `CALLS` calls, of which `IN_FLIGHT` are under way at any time. (Both are variables.)
struct Pinger(Guest);

impl Pinger {
    fn number(&self, name: &str) -> u32 {
        self.0.var(name).and_then(|text| text.parse().ok()).expect("the experiment gives this number")
    }
}

impl Pinger {
    /// Starts a client of its own, which ends when it has made its calls.
    fn client(&self, calls: u32) -> Task<()> {
        let guest = self.0.clone();
        self.0.spawn(async move {
            for _ in 0..calls {
                let url = ByteString::from_static("https://ponger.internal/");
                let answer = guest.fetch(Request::post(url, &b"ping"[..])).await.expect("nothing fails here");
                assert_eq!(answer.body, &b"pong"[..]);
            }
        })
    }
}

impl Workload for Pinger {
    fn start(guest: Guest) -> Pinger {
        Pinger(guest)
    }

    async fn setup(self: Rc<Self>) {
        let (calls, in_flight) = (self.number("CALLS"), self.number("IN_FLIGHT"));
        let clients: Vec<_> = (0..in_flight).map(|_| self.client(calls / in_flight)).collect();
        for client in clients {
            client.await;
        }
    }

    fn drivers() -> Vec<Driver<Pinger>> {
        Vec::new()
    }
}

/// A program whose instances are given these variables besides.
struct WithVars {
    program: Rc<dyn Program>,
    vars: Vec<(&'static str, u32)>,
}

impl Program for WithVars {
    fn start(&self, mut boot: Boot) -> Box<dyn Instance> {
        boot.vars.extend(self.vars.iter().map(|(name, value)| ((*name).into(), value.to_string().into())));
        self.program.start(boot)
    }

    fn digest(&self) -> Digest {
        digest_of(&(self.program.digest(), &self.vars))
    }
}

/// One node that answers and one that asks. Each call is two deliveries: the request and its response.
pub fn experiment(calls: u32, in_flight: u32) -> Experiment {
    let ponger = ServicePlan { name: "ponger".into(), ..ServicePlan::default() };
    let plan = Plan { services: vec![ponger], ..Plan::default() };
    let scenario = Scenario {
        name: "ping-pong".into(),
        workload: String::new(),
        nodes: 1,
        lasts: Duration::ZERO,
        // The calls stand one after the other in virtual time, and nobody has to hurry.
        settles: Duration::from_secs(1_000_000),
        faults: Vec::new(),
        stubs: BTreeMap::new(),
        seeds: 1,
    };
    let vars = vec![("CALLS", calls), ("IN_FLIGHT", in_flight)];
    let pinger = Rc::new(WithVars { program: workload::<Pinger>("pinger"), vars });
    Experiment::from_plan(&plan, &scenario, vec![program::<Ponger>("ponger"), pinger])
}
