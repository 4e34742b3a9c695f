//! The planted bugs on moonpool: its RPC between processes, its network chaos as its documentation recommends it.
//!
//! `Chaos::Network(ChaosMode::Swarm)` with `Chaos::BuggifyKnobs`: each seed has some of clogged connections, partitions,
//! flipped bits, closed connections, refused connections, clocks that differ, sleeps that last longer and slow links.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use dacapo_peers::hunt::{self, Answer, Ask, Bug, Network, Server, client, judge};
use moonpool::executor::spawn;
use moonpool::{
    Chaos, ChaosMode, NetTransport, NetTransportBuilder, NetworkAddress, Process, RandomProvider, RpcError,
    SimContext, SimProviders, SimulationBuilder, SimulationError, SimulationResult, TimeProvider, Workload,
    service,
};
use serde::{Deserialize, Serialize};

/// About the mean latency of these networks.
const UNIT: Duration = Duration::from_millis(1);
/// After so long a run is given up.
const BUDGET: Duration = Duration::from_secs(30);
const PORT: u16 = 4500;
const TOKEN: u32 = 4;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Question(Ask);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reply(Answer);

#[service]
trait Serve {
    async fn ask(&self, question: Question) -> Result<Reply, RpcError>;
}

fn address(ip: &str) -> SimulationResult<NetworkAddress> {
    NetworkAddress::parse(&format!("{ip}:{PORT}"))
        .map_err(|error| SimulationError::InvalidState(error.to_string()))
}

async fn listen(ctx: &SimContext) -> SimulationResult<Arc<NetTransport<SimProviders>>> {
    let transport = NetTransportBuilder::new(ctx.providers().clone()).local_address(address(ctx.my_ip())?);
    transport.build_listening().await.map_err(|error| SimulationError::InvalidState(error.to_string()))
}

struct Node {
    servers: Vec<Arc<Mutex<Server>>>,
}

#[async_trait]
impl Process for Node {
    fn name(&self) -> &str {
        "server"
    }

    async fn run(&mut self, ctx: &SimContext) -> SimulationResult<()> {
        let server = Arc::clone(&self.servers[ctx.client_id()]);
        let transport = listen(ctx).await?;
        let serve = Serve::well_known(&transport, TOKEN);
        loop {
            moonpool::select! {
                asked = serve.ask.recv() => {
                    let Some((Question(ask), reply)) = asked else { return Ok(()) };
                    let answer = server.lock().expect("no panic").answer(ask);
                    reply.send(Reply(answer));
                }
                () = ctx.shutdown().cancelled() => return Ok(()),
            }
        }
    }
}

#[derive(Clone)]
struct Client {
    servers: Vec<Serve>,
    providers: SimProviders,
    start: Duration,
}

impl Client {
    fn now_of(providers: &SimProviders) -> Duration {
        moonpool::Providers::time(providers).now()
    }
}

impl Network for Client {
    async fn ask(&self, server: usize, ask: Ask, within: u64) -> Option<Answer> {
        let time = moonpool::Providers::time(&self.providers);
        let answer = self.servers[server].ask.get_reply(Question(ask));
        let Reply(answer) = time.timeout(UNIT * within as u32, answer).await.ok()?.ok()?;
        Some(answer)
    }

    async fn sleep(&self, units: u64) {
        let time = moonpool::Providers::time(&self.providers);
        time.sleep(UNIT * units as u32).await.expect("the simulation goes on");
    }

    fn now(&self) -> u64 {
        ((Client::now_of(&self.providers) - self.start).as_nanos() / UNIT.as_nanos()) as u64
    }

    fn below(&self, range: u64) -> u64 {
        moonpool::Providers::random(&self.providers).random_range(0..range)
    }
}

struct Clients {
    bug: Bug,
    is_buggy: bool,
    is_broken: Arc<AtomicBool>,
}

#[async_trait]
impl Workload for Clients {
    fn name(&self) -> &str {
        "clients"
    }

    async fn run(&mut self, ctx: &SimContext) -> SimulationResult<()> {
        let transport = listen(ctx).await?;
        let servers = ctx.topology().process_ips.iter();
        let servers: SimulationResult<_> =
            servers.map(|ip| Ok(Serve::client_well_known(address(ip)?, TOKEN, &transport))).collect();
        let providers = ctx.providers().clone();
        let network = Client { servers: servers?, start: Client::now_of(&providers), providers };
        let (bug, is_buggy, seen) = (self.bug, self.is_buggy, Arc::default());
        let clients: Vec<_> = (0..2)
            .map(|number| spawn("client", client(network.clone(), bug, is_buggy, number, Arc::clone(&seen))))
            .collect();
        for client in clients {
            client.await.expect("no panic");
        }
        self.is_broken.store(judge(network, bug, seen).await.is_err(), Ordering::Relaxed);
        Ok(())
    }
}

fn breaks(bug: Bug, is_buggy: bool, seed: u64) -> bool {
    let is_broken = Arc::new(AtomicBool::new(false));
    let servers: Vec<_> =
        bug.servers(is_buggy).into_iter().map(|server| Arc::new(Mutex::new(server))).collect();
    // With some seeds clients insist without end. Such a run is given up, and finds nothing.
    SimulationBuilder::new()
        .processes(servers.len(), move || Box::new(Node { servers: servers.clone() }))
        .workload(Clients { bug, is_buggy, is_broken: Arc::clone(&is_broken) })
        .enable_chaos([Chaos::Network(ChaosMode::Swarm), Chaos::BuggifyKnobs])
        .run_time_budget(BUDGET)
        .set_iterations(1)
        .set_debug_seeds(vec![seed])
        .run();
    is_broken.load(Ordering::Relaxed)
}

fn main() {
    hunt::main(breaks);
}
