//! What a Rust user writes, and how it becomes a program.

use std::future::Future;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::{Boot, Digest, Instance, Phase, Program, digest_of};
use futures::future::LocalBoxFuture;

use crate::guest::Guest;
use crate::input::Client;
use crate::instance::NativeInstance;
use crate::message::{Request, Response};

/// A service. One value of this type lives as long as the instance; a crash loses it.
pub trait Service: Sized + 'static {
    /// A new instance.
    fn start(guest: Guest) -> Self;

    /// Answers a request. Requests run concurrently: each `await` is a place where another may
    /// go on.
    fn fetch(self: Rc<Self>, request: Request) -> impl Future<Output = Response>;

    /// Runs when a cron line is due.
    fn scheduled(self: Rc<Self>, cron: ByteString) -> impl Future<Output = ()> {
        let _ = cron;
        async {}
    }

    /// Runs when the alarm of a durable object is due; `retry` counts from 0. It rings again if this
    /// is an error.
    fn alarm(self: Rc<Self>, retry: u32) -> impl Future<Output = Result<(), ()>> {
        let _ = retry;
        async { Ok(()) }
    }
}

/// For a service without durable objects.
impl Service for () {
    fn start(_: Guest) {}

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        Response::new(http::StatusCode::NOT_FOUND, "")
    }
}

/// A scenario's workload.
pub trait Workload: Sized + 'static {
    /// A new instance.
    fn start(guest: Guest) -> Self;

    /// Prepares; nothing fails yet.
    fn setup(self: Rc<Self>) -> impl Future<Output = ()> {
        async {}
    }

    /// The drivers, which run in parallel while faults happen.
    fn drivers() -> Vec<Driver<Self>>;

    /// Judges what it sees when all is quiet.
    fn judge(self: Rc<Self>) -> impl Future<Output = ()> {
        async {}
    }
}

/// Something that a workload does again and again.
pub struct Driver<W> {
    pub(crate) name: Option<String>,
    pub(crate) is_whole: bool,
    pub(crate) clients: u32,
    pub(crate) pause: Duration,
    pub(crate) round: Round<W>,
}

type Round<W> = Rc<dyn Fn(Rc<W>, u32) -> LocalBoxFuture<'static, ()>>;

impl<W: 'static> Driver<W> {
    /// One client that does `round` with 100 ms between two rounds. `round` gets the client's
    /// number.
    pub fn new<F, Fut>(round: F) -> Driver<W>
    where
        F: Fn(Rc<W>, u32) -> Fut + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let round: Round<W> = Rc::new(move |w, client| Box::pin(round(w, client)));
        Driver { name: None, is_whole: false, clients: 1, pause: Duration::from_millis(100), round }
    }

    /// The name that its rounds have in what is told of a failing run; without it, it is called by its number.
    pub fn named(mut self, name: &str) -> Driver<W> {
        self.name = Some(name.to_owned());
        self
    }

    /// Its rounds are never taken away when a failing run is shrunk: what they do is an input from elsewhere.
    pub fn whole(mut self) -> Driver<W> {
        self.is_whole = true;
        self
    }

    /// So many clients in parallel.
    pub fn clients(mut self, clients: u32) -> Driver<W> {
        self.clients = clients;
        self
    }

    /// The mean time between two rounds of a client.
    pub fn pause(mut self, pause: Duration) -> Driver<W> {
        self.pause = pause;
        self
    }
}

/// A list of one driver.
pub fn drivers<W: 'static>(driver: Driver<W>) -> Vec<Driver<W>> {
    vec![driver]
}

struct NativeProgram<S, F> {
    name: String,
    /// What it was made of besides its code.
    input: String,
    start: F,
    service: PhantomData<S>,
}

impl<S: 'static, F: Fn(Boot) -> Box<dyn Instance> + 'static> Program for NativeProgram<S, F> {
    fn start(&self, boot: Boot) -> Box<dyn Instance> {
        (self.start)(boot)
    }

    fn digest(&self) -> Digest {
        // The code is this binary's own, so name and type are all that there is to tell of it.
        let code = (self.name.as_str(), std::any::type_name::<S>());
        if self.input.is_empty() { digest_of(&code) } else { digest_of(&(code, self.input.as_str())) }
    }
}

/// The program of a service.
pub fn program<S: Service>(name: &str) -> Rc<dyn Program> {
    program_with_object::<S, ()>(name)
}

/// The program of a service and of the class of its durable objects. A value of `O` lives as long as
/// the object is active; what shall outlive it is in its storage.
pub fn program_with_object<S: Service, O: Service>(name: &str) -> Rc<dyn Program> {
    let start = |boot: Boot| if boot.object.is_some() { start::<O>(boot) } else { start::<S>(boot) };
    let input = String::new();
    Rc::new(NativeProgram { name: name.to_owned(), input, start, service: PhantomData::<(S, O)> })
}

fn start<S: Service>(boot: Boot) -> Box<dyn Instance> {
    let guest = Guest::new(boot);
    let service = Rc::new(S::start(guest.clone()));
    let on_request = {
        let (service, guest) = (Rc::clone(&service), guest.clone());
        move |exchange, request| {
            let (service, guest) = (Rc::clone(&service), guest.clone());
            async move { guest.respond(exchange, service.fetch(request).await) }
        }
    };
    let on_alarm = {
        let (service, guest) = (Rc::clone(&service), guest.clone());
        move |retry| -> LocalBoxFuture<'static, ()> {
            let (service, guest) = (Rc::clone(&service), guest.clone());
            Box::pin(async move { guest.alarm_done(service.alarm(retry).await.is_ok()) })
        }
    };
    let on_cron =
        move |cron| -> LocalBoxFuture<'static, ()> { Box::pin(Rc::clone(&service).scheduled(cron)) };
    let instance = NativeInstance::new(guest).on_request(on_request).on_cron(on_cron).on_alarm(on_alarm);
    Box::new(instance)
}

/// The program of a workload.
pub fn workload<W: Workload>(name: &str) -> Rc<dyn Program> {
    workload_with(name, "", W::start)
}

/// The program of a workload that `make` makes of more than its guest. `input` tells what that is: with another
/// input it is another program.
pub fn workload_with<W: Workload>(
    name: &str,
    input: &str,
    make: impl Fn(Guest) -> W + 'static,
) -> Rc<dyn Program> {
    let start = move |boot: Boot| {
        let guest = Guest::new(boot);
        let workload = Rc::new(make(guest.clone()));
        let drivers = Rc::new(W::drivers());
        let context = guest.clone();
        let on_phase = move |phase| -> LocalBoxFuture<'static, ()> {
            let (guest, workload) = (context.clone(), Rc::clone(&workload));
            match phase {
                Phase::Setup => Box::pin(guest.within("setup", workload.setup())),
                Phase::Drive => Box::pin(drive(guest, workload, Rc::clone(&drivers))),
                // The drivers notice by themselves; `drive` ends when the last has.
                Phase::Heal => Box::pin(async {}),
                Phase::Judge => Box::pin(guest.within("judge", workload.judge())),
            }
        };
        Box::new(NativeInstance::new(guest).on_phase(on_phase)) as Box<dyn Instance>
    };
    let (name, input) = (name.to_owned(), input.to_owned());
    Rc::new(NativeProgram { name, input, start, service: PhantomData::<W> })
}

/// Runs all clients of all drivers until the drive phase is over and each has finished its round.
async fn drive<W: Workload>(guest: Guest, workload: Rc<W>, drivers: Rc<Vec<Driver<W>>>) {
    let name = |(index, driver): (usize, &Driver<W>)| {
        driver.name.clone().unwrap_or_else(|| format!("driver{}", index + 1))
    };
    let names: Vec<String> = drivers.iter().enumerate().map(name).collect();
    let mut clients = Vec::new();
    for index in guest.drivers_left(&names) {
        let (driver, name) = (&drivers[index], &names[index]);
        for number in 0..driver.clients {
            let (workload, round, pause) = (Rc::clone(&workload), Rc::clone(&driver.round), driver.pause);
            let mut client = Client::new(guest.clone(), name, number, driver.is_whole);
            let context = guest.clone();
            clients.push(guest.spawn(async move {
                while context.phase() == Some(Phase::Drive) && client.has_round() {
                    client.round(|| round(Rc::clone(&workload), number)).await;
                    client.pause(pause).await;
                }
            }));
        }
    }
    for client in clients {
        client.await;
    }
}
