//! All loops of one process, before and around their threads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use dacapo_core::{NodeId, Phase};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::lease::LeaseDoor;
use crate::listen;
use crate::mail::{Mail, Peers};
use crate::options::{HostOptions, Sinks};
use crate::server::Socket;
use crate::store::StoreDoor;
use crate::{Host, HostError};

/// The loops of one process: bound to their sockets, not yet running.
pub struct HostCluster {
    /// One for each node, in order. Each becomes a [`Host`] on a thread of its own.
    pub loops: Vec<HostLoop>,
    /// Where the process listens: one address for each [`crate::Listen`], with its real port.
    pub addresses: Vec<SocketAddr>,
    /// Tells the running loops what to do.
    pub handle: HostHandle,
}

/// One loop before its thread. It can be sent there.
pub struct HostLoop {
    pub(crate) node: NodeId,
    pub(crate) sockets: Vec<Socket>,
    pub(crate) options: Arc<HostOptions>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) mail: UnboundedReceiver<Mail>,
    pub(crate) finished: Arc<AtomicUsize>,
    pub(crate) store: StoreDoor,
    pub(crate) leases: LeaseDoor,
}

/// Tells running loops what to do, from any thread.
#[derive(Clone)]
pub struct HostHandle {
    peers: Arc<Peers>,
}

impl HostCluster {
    /// Binds every socket and reads every certificate, so that what is wrong is told here.
    pub fn bind(options: HostOptions) -> Result<HostCluster, HostError> {
        let total = options.loops + options.quiet_loops;
        if total == 0 || options.loops == 0 && !options.listens.is_empty() {
            return Err(HostError::NoLoops);
        }
        let mut sockets: Vec<Vec<Socket>> = (0..total).map(|_| Vec::new()).collect();
        let mut addresses = Vec::new();
        // What every loop does again on its thread must not fail only there.
        crate::tls::client_tls(&options.client.extra_roots)?;
        for listen in &options.listens {
            let tls = listen.tls.as_ref().map(|pem| pem.server_config()).transpose()?;
            let (address, listeners) = listen::bind(listen.addr, options.loops)?;
            addresses.push(address);
            for (of_loop, listener) in sockets.iter_mut().zip(listeners) {
                of_loop.push(Socket { listener, tls: tls.clone(), scheme: listen.scheme() });
            }
        }
        let (senders, inboxes): (Vec<_>, Vec<_>) = (0..total).map(|_| unbounded_channel()).unzip();
        let peers: Arc<Peers> = senders.into();
        let store = StoreDoor::open(options.store.as_ref(), &peers)?;
        let leases = LeaseDoor::new();
        let options = Arc::new(options);
        let finished = Arc::new(AtomicUsize::new(0));
        let loops = (0..).map(NodeId).zip(sockets).zip(inboxes).map(|((node, sockets), mail)| HostLoop {
            node,
            sockets,
            options: options.clone(),
            peers: peers.clone(),
            mail,
            finished: finished.clone(),
            store: store.clone(),
            leases: leases.clone(),
        });
        Ok(HostCluster { loops: loops.collect(), addresses, handle: HostHandle { peers } })
    }
}

impl HostLoop {
    /// The node that this loop will be.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Makes the world, on the thread that will use it.
    pub fn open(self, sinks: Sinks) -> Result<Host, HostError> {
        Host::new(self, sinks)
    }
}

impl HostHandle {
    /// Ends gracefully: no new connections, [`dacapo_core::Event::Stop`] to every node, and
    /// [`dacapo_core::World::next`] returns `None` when all requests are answered or the grace
    /// period is over.
    pub fn stop(&self) {
        self.tell_all(|| Mail::Stop);
    }

    /// Ends at once; requests under way are lost.
    pub fn abandon(&self) {
        self.tell_all(|| Mail::Abandon);
    }

    /// Tells a node that the scenario enters a phase. It answers through
    /// [`crate::Sinks::phase_done`].
    pub fn phase(&self, node: NodeId, phase: Phase) {
        if let Some(peer) = self.peers.get(node.0 as usize) {
            // A loop that has ended enters no phase.
            let _ = peer.send(Mail::Phase(phase));
        }
    }

    fn tell_all(&self, mail: impl Fn() -> Mail) {
        for peer in &*self.peers {
            let _ = peer.send(mail());
        }
    }
}
