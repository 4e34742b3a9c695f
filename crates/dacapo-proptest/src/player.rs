//! The workload that plays a list of requests: each client asks one thing after the other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::Time;
use dacapo_native::{Driver, Guest, Request, Response, Workload};
use futures::future::join_all;

use crate::ask::Ask;

/// A request, and what came of it.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Which request of the input.
    pub ask: usize,
    /// Who asked.
    pub client: u32,
    /// What was asked for.
    pub request: Request,
    /// When, and how many moments (requests and answers, of all clients) there were before.
    pub asked: (Time, u32),
    /// When the client heard, or gave up.
    pub ended: Option<(Time, u32)>,
    /// The answer. `None`: an error or silence, so it may have been done or not, or be done later.
    pub answer: Option<Response>,
}

/// All that clients asked and were told, in the order in which they asked.
#[derive(Clone, Debug, Default)]
pub struct Transcript(pub Vec<Answered>);

/// Whether what clients have seen is right.
pub(crate) type Judge = Rc<dyn Fn(&Transcript) -> Result<(), String>>;

/// What is played.
#[derive(Clone)]
pub(crate) struct Score {
    pub(crate) asks: Rc<[Ask]>,
    pub(crate) patience: Duration,
    pub(crate) rule: Rc<str>,
    pub(crate) judge: Judge,
}

/// The workload.
pub(crate) struct Player {
    guest: Guest,
    score: Option<Score>,
    has_begun: Cell<bool>,
    moments: Cell<u32>,
    transcript: RefCell<Transcript>,
}

impl Player {
    pub(crate) fn new(guest: Guest, score: Score) -> Player {
        Player { score: Some(score), ..Player::start(guest) }
    }

    fn moment(&self) -> (Time, u32) {
        let moment = self.moments.get();
        self.moments.set(moment + 1);
        (self.guest.now(), moment)
    }

    /// All clients, to the end.
    async fn play(self: Rc<Self>) {
        if self.has_begun.replace(true) {
            return;
        }
        let Some(score) = &self.score else { return };
        let clients = score.asks.iter().map(|ask| ask.client).max().map_or(0, |last| last + 1);
        join_all((0..clients).map(|client| self.client(score, client))).await;
    }

    async fn client(&self, score: &Score, client: u32) {
        for (number, ask) in score.asks.iter().enumerate().filter(|(_, ask)| ask.client == client) {
            if !ask.wait.is_zero() {
                self.guest.sleep(ask.wait).await;
            }
            let asked = self.moment();
            let place = self.transcript.borrow().0.len();
            let request = ask.request.clone();
            self.transcript.borrow_mut().0.push(Answered {
                ask: number,
                client,
                request: request.clone(),
                asked,
                ended: None,
                answer: None,
            });
            let answer = self.guest.timeout(score.patience, self.guest.fetch(request)).await;
            let ended = Some(self.moment());
            let entry = &mut self.transcript.borrow_mut().0[place];
            (entry.ended, entry.answer) = (ended, answer.and_then(Result::ok));
        }
    }
}

impl Workload for Player {
    /// Without a score, nothing is played.
    fn start(guest: Guest) -> Player {
        let transcript = RefCell::default();
        Player { guest, score: None, has_begun: Cell::new(false), moments: Cell::new(0), transcript }
    }

    fn drivers() -> Vec<Driver<Player>> {
        vec![Driver::new(|player: Rc<Player>, _| player.play()).whole()]
    }

    async fn judge(self: Rc<Self>) {
        let Some(score) = &self.score else { return };
        let verdict = (score.judge)(&self.transcript.borrow());
        let text = verdict.as_ref().err().cloned().unwrap_or_default();
        self.guest.always_or(verdict.is_ok(), &score.rule, || text);
    }
}
