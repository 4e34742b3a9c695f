//! What a workload draws, and in which round: decisions that may be given, if the world has said so.

use std::cell::RefMut;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::{Choice, Draws, Effects, Inputs, RoundKey};

use crate::guest::{Guest, Inner};

/// A future whose draws belong to one cause, wherever it goes on.
struct Within<F> {
    guest: Guest,
    /// While it is polled, what draws were about before.
    cause: Option<Rc<str>>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Within { guest, cause, future } = &mut *self;
        std::mem::swap(&mut guest.inner().cause, cause);
        let end = future.as_mut().poll(cx);
        std::mem::swap(&mut guest.inner().cause, cause);
        end
    }
}

/// One client of a driver, by the name that its rounds have among the decisions.
pub(crate) struct Client {
    guest: Guest,
    /// `None`: what it does is not decided here.
    cause: Option<String>,
    round: u32,
}

impl Client {
    pub(crate) fn new(guest: Guest, driver: &str, number: u32, is_whole: bool) -> Client {
        Client { guest, cause: (!is_whole).then(|| RoundKey::client_cause(driver, number)), round: 0 }
    }

    /// Lets `decide` see the decisions, if there are any about this client.
    fn decide<R>(&self, decide: impl FnOnce(&mut Draws, &str, &mut Effects) -> R) -> Option<R> {
        let cause = self.cause.as_deref()?;
        with_draws(&mut self.guest.inner(), |draws, _, out| decide(draws, cause, out))
    }

    /// Whether it may make any round more.
    pub(crate) fn has_round(&self) -> bool {
        self.decide(|draws, cause, _| draws.has_round(cause)).unwrap_or(true)
    }

    /// Makes its next round, unless it was decided that it does not.
    pub(crate) async fn round<F: Future<Output = ()>>(&mut self, round: impl FnOnce() -> F) {
        self.round += 1;
        let happens = self
            .decide(|draws, cause, out| draws.round(cause, out).then(|| RoundKey::cause(cause, self.round)));
        match happens {
            Some(Some(cause)) => self.guest.within(&cause, round()).await,
            Some(None) => {}
            None => round().await,
        }
    }

    /// Waits before the next round, `mean` on average.
    pub(crate) async fn pause(&self, mean: Duration) {
        let mean = mean.as_nanos() as u64;
        let natural = self.guest.inner().random.below(mean.saturating_mul(2).max(1));
        let decided = self.decide(|draws, cause, out| draws.pause(cause, natural, mean, out));
        self.guest.sleep(Duration::from_nanos(decided.unwrap_or(natural))).await;
    }
}

/// Lets `decide` see the decisions, if there are any, and what they are about now.
fn with_draws<R>(
    inner: &mut RefMut<'_, Inner>,
    decide: impl FnOnce(&mut Draws, &str, &mut Effects) -> R,
) -> Option<R> {
    let Inner { draws, effects, cause, .. } = &mut **inner;
    draws.as_deref_mut().map(|draws| decide(draws, cause.as_deref().unwrap_or_default(), effects))
}

impl Guest {
    /// What is decided for this workload before it begins.
    pub(crate) fn begin(&self, inputs: Inputs) {
        self.inner().draws = Some(Box::new(Draws::new(inputs)));
    }

    /// The drivers of these names that are not left out.
    pub(crate) fn drivers_left(&self, names: &[String]) -> Vec<usize> {
        let left = with_draws(&mut self.inner(), |draws, _, out| draws.drivers_left(names, out));
        left.unwrap_or_else(|| (0..names.len()).collect())
    }

    /// What is drawn while this future is polled is about `cause`.
    pub(crate) fn within<F: Future>(
        &self,
        cause: &str,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        Within { guest: self.clone(), cause: Some(cause.into()), future: Box::pin(future) }
    }

    /// The same with what draws are about at present, if there is anything.
    pub(crate) fn within_same<F: Future<Output = ()> + 'static>(
        &self,
        future: F,
    ) -> futures::future::LocalBoxFuture<'static, ()> {
        let cause = self.inner().cause.clone();
        match cause {
            None => Box::pin(future),
            cause => Box::pin(Within { guest: self.clone(), cause, future: Box::pin(future) }),
        }
    }

    fn draw(
        &self,
        name: &str,
        choice: impl FnOnce(&mut Inner) -> Choice,
        says: impl FnOnce(u64) -> Option<ByteString>,
    ) -> u64 {
        let mut inner = self.inner();
        let choice = choice(&mut inner);
        if choice.range - choice.least <= 1 {
            return choice.natural;
        }
        let decided = with_draws(&mut inner, |draws, cause, out| draws.draw(name, cause, choice, says, out));
        decided.unwrap_or(choice.natural)
    }

    /// A random number in `0..n`.
    pub fn random_below(&self, n: u64) -> u64 {
        let choice = |inner: &mut Inner| Choice { least: 0, range: n, natural: inner.random.below(n) };
        self.draw("below", choice, |_| None)
    }

    /// A random number in `range`. In a workload `name`, which is one word, tells it from others: it is what a decision
    /// is called that a shrunk run gives.
    ///
    /// Panics if there is no number in the range.
    pub fn random_int(&self, name: &str, range: RangeInclusive<u64>) -> u64 {
        let (least, most) = (*range.start(), *range.end());
        assert!(least <= most, "there is no number from {least} to {most}");
        let count = (most - least).saturating_add(1);
        let choice = |inner: &mut Inner| Choice {
            least,
            range: most.saturating_add(1),
            natural: least + inner.random.below(count),
        };
        self.draw(name, choice, |_| None)
    }

    /// True with this probability; `name` as for [`Guest::random_int`].
    pub fn chance(&self, name: &str, probability: f64) -> bool {
        const STEPS: u64 = 1 << 32;
        let share = (probability.clamp(0.0, 1.0) * STEPS as f64) as u64;
        let choice = |inner: &mut Inner| {
            let natural = u64::from(inner.random.below(STEPS) < share);
            Choice { least: 0, range: 2, natural }
        };
        let says = |chosen| Some(ByteString::from_static(if chosen == 1 { "true" } else { "false" }));
        self.draw(name, choice, says) == 1
    }

    /// One of these; `name` as for [`Guest::random_int`]. A search may do without some of them in a run.
    ///
    /// Panics if there is none.
    #[track_caller]
    pub fn pick<'a, T: Debug>(&self, name: &str, all: &'a [T]) -> &'a T {
        assert!(!all.is_empty(), "there is nothing to pick {name} from");
        let place = Location::caller();
        let left = with_draws(&mut self.inner(), |draws, _, out| {
            let site = || format!("{name} at {}:{}", place.file(), place.line());
            draws.may_leave_out(all.len()).then(|| draws.left(&site(), all.len(), out))
        });
        let left = left.flatten();
        let choice = |inner: &mut Inner| {
            let count = left.as_ref().map_or(all.len(), Vec::len) as u64;
            let at = inner.random.below(count);
            let natural = left.as_ref().map_or(at, |left| left[at as usize] as u64);
            Choice { least: 0, range: all.len() as u64, natural }
        };
        &all[self.draw(name, choice, |at| Some(format!("{:?}", all[at as usize]).into())) as usize]
    }
}
