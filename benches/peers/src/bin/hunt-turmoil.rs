//! The planted bugs on turmoil: datagrams between hosts, with its loss, its latency and its held links.
//!
//! Latency keeps turmoil's default shape (the least, plus an exponentially distributed part of the range) with a range
//! of 2 to 17 ms, 5 ms on average: by default it is four times that, and so would be the ticks of a run. Where nothing
//! is lost, links are held and released now and then, as turmoil's documentation has it for messages that are late.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use dacapo_peers::hunt::{self, Answer, Ask, Bug, Network, client, judge};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use turmoil::net::UdpSocket;

/// The mean latency.
const UNIT: Duration = Duration::from_millis(5);
const PORT: u16 = 1738;
const SERVERS: [&str; 3] = ["server-0", "server-1", "server-2"];
const CLIENTS: &str = "clients";
/// One of the links is held every so many units on average, for up to so many.
const HELD_EVERY: u64 = 100;
const HELD_FOR: u64 = 40;

struct Client {
    random: Mutex<SmallRng>,
}

impl Client {
    fn new(seed: u64) -> Client {
        Client { random: Mutex::new(SmallRng::seed_from_u64(seed)) }
    }
}

impl Network for Client {
    async fn ask(&self, server: usize, ask: Ask, within: u64) -> Option<Answer> {
        // A socket for each question: what comes back to it is its answer.
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.ok()?;
        let question = serde_json::to_vec(&ask).expect("plain data");
        socket.send_to(&question, (turmoil::lookup(SERVERS[server]), PORT)).await.ok()?;
        let answer = async {
            let mut buffer = [0; 512];
            let (length, _) = socket.recv_from(&mut buffer).await.ok()?;
            serde_json::from_slice(&buffer[..length]).ok()
        };
        tokio::time::timeout(UNIT * within as u32, answer).await.ok()?
    }

    async fn sleep(&self, units: u64) {
        tokio::time::sleep(UNIT * units as u32).await;
    }

    fn now(&self) -> u64 {
        (turmoil::elapsed().as_nanos() / UNIT.as_nanos()) as u64
    }

    fn below(&self, range: u64) -> u64 {
        self.random.lock().expect("no panic").random_range(0..range)
    }
}

fn breaks(bug: Bug, is_buggy: bool, seed: u64) -> bool {
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .enable_random_order()
        .simulation_duration(Duration::from_secs(600))
        .min_message_latency(Duration::from_millis(2))
        .max_message_latency(Duration::from_millis(17))
        .fail_rate(bug.loss())
        .build();
    let servers = bug.servers(is_buggy).into_iter().map(|server| Arc::new(Mutex::new(server)));
    let names: Vec<&str> = SERVERS
        .into_iter()
        .zip(servers)
        .map(|(name, server)| {
            sim.host(name, move || {
                let server = Arc::clone(&server);
                async move {
                    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
                    let mut buffer = [0; 512];
                    loop {
                        let (length, from) = socket.recv_from(&mut buffer).await?;
                        let ask: Ask = serde_json::from_slice(&buffer[..length])?;
                        let answer = server.lock().expect("no panic").answer(ask);
                        socket.send_to(&serde_json::to_vec(&answer)?, from).await?;
                    }
                }
            });
            name
        })
        .collect();
    let is_healed = Arc::new(tokio::sync::Notify::new());
    let healed = Arc::clone(&is_healed);
    let clients_done = Arc::new(OnceLock::new());
    let done = Arc::clone(&clients_done);
    let is_broken = Arc::new(OnceLock::new());
    let broken = Arc::clone(&is_broken);
    sim.client(CLIENTS, async move {
        let seen = Arc::default();
        let mut clients = Vec::new();
        for number in 0..2 {
            let network = Client::new(2 * seed + u64::from(number));
            clients.push(tokio::task::spawn(client(network, bug, is_buggy, number, Arc::clone(&seen))));
        }
        for client in clients {
            client.await?;
        }
        done.set(()).expect("once");
        healed.notified().await;
        broken.set(judge(Client::new(seed), bug, seen).await.is_err()).expect("once");
        Ok(())
    });
    let mut random = SmallRng::seed_from_u64(seed);
    let mut held: BTreeMap<&str, u64> = BTreeMap::new();
    loop {
        if sim.step().expect("no error") {
            return *is_broken.get().expect("it was judged");
        }
        let now = sim.elapsed();
        if clients_done.get().is_some() {
            sim.set_fail_rate(0.0);
            while let Some((name, _)) = held.pop_first() {
                sim.release(CLIENTS, name);
            }
            is_healed.notify_one();
            continue;
        }
        let units = (now.as_nanos() / UNIT.as_nanos()) as u64;
        if let Some(name) = held.iter().find(|(_, until)| **until <= units).map(|(name, _)| *name) {
            sim.release(CLIENTS, name);
            held.remove(name);
        }
        // A step is a millisecond.
        if bug.loss() == 0.0 && random.random_range(0..HELD_EVERY * UNIT.as_millis() as u64) == 0 {
            let name = names[random.random_range(0..names.len())];
            sim.hold(CLIENTS, name);
            held.entry(name).or_insert(units + random.random_range(1..=HELD_FOR));
        }
    }
}

fn main() {
    hunt::main(breaks);
}
