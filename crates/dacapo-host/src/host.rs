//! The world of one loop.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use dacapo_core::{
    Address, Delivery, Effect, Event, InstanceId, NetError, NodeId, Note, Target, Time, World,
};
use tokio::runtime::LocalRuntime;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::clock::{Clock, entropy};
use crate::lease::LeaseDoor;
use crate::mail::{Caller, Mail, ToCaller, ToServer};
use crate::options::Sinks;
use crate::server::connections::Order;
use crate::server::{self, Socket};
use crate::store::StoreDoor;
use crate::switch::Switch;
use crate::{HostError, HostLoop};

/// After so many deliveries in a row the sockets are looked at, however busy the guests are.
const DELIVERIES_BETWEEN_LOOKS: u32 = 64;

/// The operating system as a world: one node, on the thread that made it.
///
/// [`World::next`] waits for something to happen and must not be called inside another event loop.
pub struct Host {
    /// Dropped first: its tasks hold the switch.
    runtime: Option<LocalRuntime>,
    switch: Rc<Switch>,
    client: Client,
    store: StoreDoor,
    leases: LeaseDoor,
    timers: crate::timers::Timers,
    mail: UnboundedReceiver<Mail>,
    /// Letters read while the event loop ran.
    letters: VecDeque<Mail>,
    sinks: Sinks,
    acceptors: Vec<JoinHandle<std::io::Result<()>>>,
    deliveries: u32,
    /// The node has said that it stopped.
    has_stopped: bool,
    /// When the grace period of a stop is over.
    stop_by: Option<Time>,
    /// This loop is among the finished ones.
    is_counted: bool,
    is_over: bool,
    finished: Arc<AtomicUsize>,
    loops: usize,
}

impl Host {
    pub(crate) fn new(seat: HostLoop, sinks: Sinks) -> Result<Host, HostError> {
        let failed = |source| HostError::Loop { source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(tokio::runtime::LocalOptions::default())
            .map_err(failed)?;
        let clock = Clock::start();
        let own_mail = seat.peers[seat.node.0 as usize].clone();
        let loops = seat.peers.len();
        let client = Client::new(&seat.options.client, own_mail)?;
        let switch = Rc::new(Switch::new(seat.node, clock, seat.options, seat.peers));
        let mut acceptors = Vec::new();
        for socket in seat.sockets {
            acceptors.push(spawn_acceptor(&runtime, &switch, socket));
        }
        if !acceptors.is_empty() {
            let switch = switch.clone();
            runtime.spawn_local(sweep(switch));
        }
        switch.push_runtime(Event::Boot { entropy: entropy()?, incarnation: 0 });
        Ok(Host {
            runtime: Some(runtime),
            switch,
            client,
            store: seat.store,
            leases: seat.leases,
            timers: crate::timers::Timers::default(),
            mail: seat.mail,
            letters: VecDeque::new(),
            sinks,
            acceptors,
            deliveries: 0,
            has_stopped: false,
            stop_by: None,
            is_counted: false,
            is_over: false,
            finished: seat.finished,
            loops,
        })
    }

    /// The node that this loop is.
    pub fn node(&self) -> NodeId {
        self.switch.node
    }

    /// Lets the event loop run: until something is there to deliver, or just once.
    fn drive(&mut self, until: Option<Time>, may_wait: bool) {
        let Some(runtime) = &self.runtime else { return };
        let (switch, mail, letters) = (&self.switch, &mut self.mail, &mut self.letters);
        let mut has_run = false;
        switch.clear_news();
        let deadline = until.and_then(|time| switch.clock.instant(time));
        runtime.block_on(async {
            let mut sleep = pin!(deadline.filter(|_| may_wait).map(|at| tokio::time::sleep_until(at.into())));
            poll_fn(|cx: &mut Context<'_>| {
                while let Poll::Ready(Some(letter)) = mail.poll_recv(cx) {
                    letters.push_back(letter);
                }
                if has_run && (!may_wait || switch.has_news()) || !letters.is_empty() {
                    return Poll::Ready(());
                }
                switch.set_waker(cx.waker());
                if !may_wait || switch.has_news() {
                    cx.waker().wake_by_ref();
                }
                has_run = true;
                match sleep.as_mut().as_pin_mut() {
                    Some(sleep) => sleep.poll(cx),
                    None => Poll::Pending,
                }
            })
            .await;
        });
    }

    fn read_letters(&mut self) {
        while let Some(letter) = self.letters.pop_front() {
            match letter {
                Mail::ToServer(caller, message) => self.switch.at_server(caller, message),
                Mail::ToCaller(caller, message) => self.switch.at_caller(caller, message),
                Mail::Phase(phase) => self.switch.push_runtime(Event::Phase(phase)),
                Mail::Event(to, event) => self.switch.push(to, event),
                Mail::Stop => self.stop(),
                Mail::Abandon => self.is_over = true,
                // Whether all have finished is looked at in any case.
                Mail::Finished => {}
            }
        }
    }

    fn stop(&mut self) {
        if self.stop_by.is_some() {
            return;
        }
        let now = self.switch.clock.now();
        self.stop_by = Some(now + self.switch.options.grace);
        self.switch.is_stopping.set(true);
        for acceptor in self.acceptors.drain(..) {
            acceptor.abort();
        }
        self.switch.connections.tell_all(Order::Finish);
        self.switch.push_runtime(Event::Stop);
    }

    /// Whether nothing more will happen here.
    fn is_finished(&mut self) -> bool {
        let Some(stop_by) = self.stop_by else { return self.is_over };
        if self.has_stopped && self.switch.connections.is_empty() && !self.is_counted {
            self.count_as_finished();
        }
        // A loop that has finished still serves the last requests of those that have not.
        let all = self.finished.load(Ordering::Acquire) >= self.loops;
        self.is_over || self.is_counted && all || self.switch.clock.now() >= stop_by
    }

    fn count_as_finished(&mut self) {
        self.is_counted = true;
        self.finished.fetch_add(1, Ordering::AcqRel);
        self.switch.tell_all(|| Mail::Finished);
    }

    fn take_due_timers(&mut self) {
        if self.timers.next_due().is_none() {
            return;
        }
        let now = self.switch.clock.now();
        while let Some((owner, timer)) = self.timers.take_due(now) {
            self.switch.push(owner, Event::Timer(timer));
        }
    }

    fn fetch(&mut self, from: Address, effect: Effect) {
        let Effect::Fetch { call, target, head, body } = effect else { return };
        let failed = |error| {
            self.switch.push(from, Event::Failed(call, error));
        };
        match target {
            Target::Service(node, service, by) => {
                let request = ToServer::Request { service, by, object: None, head, body };
                self.switch.call_node(from, call, node, request);
            }
            Target::Owner(node, service, by, key) => {
                let request = ToServer::Request { service, by, object: Some(key), head, body };
                self.switch.call_node(from, call, node, request);
            }
            Target::Outside(_) => {
                let Some(runtime) = &self.runtime else { return };
                let _inside = runtime.enter();
                self.client.call(&self.switch, from, call, *head, body);
            }
            Target::Refused(error) => failed(error),
            // The runtime replaces these; an answer is still better than silence.
            Target::Url | Target::Binding(_) | Target::Object(..) => {
                failed(NetError::Broken("the runtime has not said where this call goes".into()));
            }
        }
    }
}

fn spawn_acceptor(
    runtime: &LocalRuntime,
    switch: &Rc<Switch>,
    socket: Socket,
) -> JoinHandle<std::io::Result<()>> {
    runtime.spawn_local(server::accept(switch.clone(), socket))
}

async fn sweep(switch: Rc<Switch>) {
    let limits = switch.options.server.clone();
    let shortest = limits.head_timeout.min(limits.idle_timeout).min(limits.stall_timeout);
    let pause = (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    loop {
        tokio::time::sleep(pause).await;
        switch.connections.sweep(switch.clock.now(), &limits);
    }
}

impl World for Host {
    fn next(&mut self) -> Option<Delivery> {
        loop {
            if self.deliveries < DELIVERIES_BETWEEN_LOOKS
                && !self.is_over
                && let Some((to, event)) = self.switch.pop()
            {
                self.deliveries += 1;
                let now = self.switch.clock.now();
                return Some(Delivery { at: now, now, wall: Clock::wall(), to, event });
            }
            self.deliveries = 0;
            if self.is_finished() {
                self.is_over = true;
                return None;
            }
            let until = [self.timers.next_due(), self.stop_by].into_iter().flatten().min();
            let may_wait = !self.switch.has_events();
            self.drive(until, may_wait);
            self.read_letters();
            self.take_due_timers();
        }
    }

    fn submit(&mut self, from: Address, effect: Effect) {
        let switch = &self.switch;
        match effect {
            Effect::Fetch { .. } => self.fetch(from, effect),
            Effect::RequestChunk(call, chunk) => switch.request_chunk(from, call, chunk),
            Effect::ResponsePull(call, bytes) => switch.response_pull(from, call, bytes),
            Effect::Cancel(call) => switch.cancel(from, call),
            Effect::Respond { exchange, head, body } => switch.respond(exchange, head, body),
            Effect::ResponseChunk(exchange, chunk) => switch.response_chunk(exchange, chunk),
            Effect::RequestPull(exchange, bytes) => switch.request_pull(exchange, bytes),
            Effect::SetTimer(timer, after) | Effect::SetTrigger(timer, _, after) => {
                self.timers.set(from, timer, switch.clock.now() + after);
            }
            Effect::ClearTimer(timer) => self.timers.clear(from, timer),
            Effect::Log(level, text) => (self.sinks.log)(from, level, &text),
            Effect::Check(check) => (self.sinks.check)(from, &check),
            // What is decided beforehand is Sim's affair.
            Effect::Drawn(_) => {}
            Effect::PhaseDone => (self.sinks.phase_done)(from),
            Effect::Ended(instance, fault) => {
                let gone = Address { node: from.node, instance };
                self.timers.clear_all_of(gone);
                switch.cancel_all_of(gone);
                (self.sinks.ended)(gone, &fault);
            }
            Effect::Stopped => self.has_stopped = true,
            Effect::Load(_) | Effect::Commit(..) => {
                if let Some(refusal) = self.store.ask(from, effect) {
                    switch.push(from, refusal);
                }
            }
            Effect::Send(to, message) => {
                let to = Address { node: to, instance: InstanceId::RUNTIME };
                switch.send_event(to, Event::Message(from.node, message));
            }
            Effect::Lease(call) => switch.push(from, self.leases.ask(&call)),
            // Between an instance and its runtime.
            Effect::AlarmDone(_) | Effect::Exclusive(_) | Effect::Sync(_) => {}
        }
    }

    fn take_notes(&mut self) -> Vec<Note> {
        self.switch.take_notes()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.switch.hang_up();
        if !self.is_counted {
            self.count_as_finished();
        }
        // Letters that nobody will read any more get their answer here.
        self.mail.close();
        while let Ok(letter) = self.mail.try_recv() {
            self.letters.push_back(letter);
        }
        for letter in std::mem::take(&mut self.letters) {
            if let Mail::ToServer(caller @ Caller::Guest(..) | caller @ Caller::Client(..), message) = letter
                && matches!(message, ToServer::Request { .. })
                && caller.node() != self.switch.node
            {
                self.switch.send_to_caller(caller, ToCaller::Failed(NetError::Refused));
            }
        }
        if let Some(runtime) = self.runtime.take() {
            // Resolving a name may still block a thread; nobody waits for it.
            drop(runtime);
        }
    }
}
