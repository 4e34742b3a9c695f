//! Lists to which keys are appended, and what their clients saw: enough to tell whether each object was
//! linearizable.
//!
//! Each list only grows, so every answer must be a beginning of the last one, and time must not run
//! backwards: what was answered before something else was asked is in the answer to that. For lists that
//! is all of linearizability (Kingsbury and Alvaro, "Elle", 2020).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::Time;
use dacapo_core::fault::Param;
use dacapo_lab::prelude::*;
use http::StatusCode;

/// How many lists there are.
pub(crate) const LISTS: u64 = 6;

/// A durable object: a list of keys, each of which is there at most once. An alarm appends one, too.
pub(crate) struct List {
    guest: Guest,
}

impl List {
    fn keys(&self) -> Vec<String> {
        let text = self.guest.storage(|s| s.get("keys")).expect("the storage of a healthy object");
        let text = text.map_or(String::new(), |v| String::from_utf8_lossy(&v).into_owned());
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn append(&self, key: String) -> Vec<String> {
        let mut keys = self.keys();
        if !keys.contains(&key) {
            keys.push(key);
            let text = keys.join(" ");
            self.guest.storage(|s| s.put("keys", text.as_bytes())).expect("a short value is taken");
        }
        keys
    }
}

impl Service for List {
    fn start(guest: Guest) -> List {
        List { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        Response::text(match request.path() {
            "/append" => self.append(request.text()).join(" "),
            "/read" => self.keys().join(" "),
            "/slowly" => {
                self.guest.sleep(Duration::from_millis(500)).await;
                self.append(request.text()).join(" ")
            }
            "/remind" => {
                let at = self.guest.wall().later(Duration::from_millis(1500));
                self.guest.storage(|s| s.set_alarm(Some(at))).expect("an alarm can be set");
                self.append(request.text()).join(" ")
            }
            path => return Response::new(StatusCode::NOT_FOUND, path.to_owned()),
        })
    }

    async fn alarm(self: Rc<Self>, _: u32) -> Result<(), ()> {
        let count = self.keys().iter().filter(|key| key.starts_with("alarm")).count();
        self.append(format!("alarm-{count}"));
        Ok(())
    }
}

/// An answer: when it was asked for, when it came, what it said, and which key is its own.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    asked: Time,
    answered: Time,
    keys: Vec<String>,
    own: Option<String>,
}

thread_local! {
    /// What all clients saw in the run, for each list. (Tests run one experiment at a time on their
    /// thread; a workload that starts clears it.)
    static SEEN: RefCell<BTreeMap<u64, Vec<Seen>>> = RefCell::default();
    /// When something was answered while faults happened.
    static ANSWERED: RefCell<Vec<Time>> = const { RefCell::new(Vec::new()) };
}

/// The longest time within the drive phase in which nobody got an answer.
pub(crate) fn longest_silence() -> Duration {
    ANSWERED
        .with_borrow(|times| times.windows(2).map(|two| two[1].since(two[0])).max().unwrap_or(Duration::MAX))
}

pub(crate) fn answers() -> usize {
    ANSWERED.with_borrow(Vec::len)
}

/// An answer of a list, or what was wrong.
pub(crate) async fn ask(guest: &Guest, list: u64, path: &str, key: &str) -> Result<Vec<String>, String> {
    let request = Request::post(format!("https://lists.example{path}"), key.to_owned());
    let name = format!("list {list}");
    let call = guest.object("lists.List", &name, request);
    match guest.timeout(Duration::from_secs(15), call).await {
        None => Err("no answer".into()),
        Some(Err(error)) => Err(error.to_string()),
        Some(Ok(response)) if response.status() == StatusCode::OK => {
            Ok(response.into_text().split_whitespace().map(str::to_owned).collect())
        }
        Some(Ok(response)) => Err(format!("{}: {}", response.status().as_u16(), response.into_text())),
    }
}

/// The same until there is an answer.
pub(crate) async fn insist(guest: &Guest, list: u64, path: &str, key: &str) -> Vec<String> {
    let asked = guest.now();
    loop {
        match ask(guest, list, path, key).await {
            Ok(keys) => {
                let own = (!key.is_empty()).then(|| key.to_owned());
                let seen = Seen { asked, answered: guest.now(), keys: keys.clone(), own };
                SEEN.with_borrow_mut(|all| all.entry(list).or_default().push(seen));
                return keys;
            }
            Err(_) => guest.sleep(Duration::from_millis(50)).await,
        }
    }
}

/// What is wrong with the history of one list.
fn mistake(history: &[Seen]) -> Option<String> {
    let last = history.iter().max_by_key(|seen| seen.keys.len())?;
    for seen in history {
        if !last.keys.starts_with(&seen.keys) {
            return Some(format!("{:?} is no beginning of {:?}", seen.keys, last.keys));
        }
        if let Some(own) = &seen.own
            && !seen.keys.contains(own)
        {
            return Some(format!("{own} is not in the answer to its own request, {:?}", seen.keys));
        }
    }
    let mut by_time: Vec<&Seen> = history.iter().collect();
    by_time.sort_by_key(|seen| seen.answered);
    for seen in history {
        let before = by_time.iter().take_while(|other| other.answered < seen.asked);
        if let Some(newer) =
            before.filter(|other| other.keys.len() > seen.keys.len()).max_by_key(|o| o.keys.len())
        {
            let (had, has) = (newer.keys.len(), seen.keys.len());
            return Some(format!(
                "{had} keys were answered at {:?}; asked at {:?} there were {has}",
                newer.answered, seen.asked
            ));
        }
    }
    None
}

/// Appends to lists and reads them.
pub(crate) struct Clients {
    guest: Guest,
    sent: std::cell::Cell<u64>,
}

impl Clients {
    async fn round(self: Rc<Self>) {
        self.sent.set(self.sent.get() + 1);
        let list = self.guest.random_below(LISTS);
        let (path, key) = match self.guest.random_below(10) {
            0..4 => ("/append", format!("k{}", self.sent.get())),
            4 => ("/slowly", format!("s{}", self.sent.get())),
            5 => ("/remind", format!("r{}", self.sent.get())),
            _ => ("/read", String::new()),
        };
        insist(&self.guest, list, path, &key).await;
        if self.guest.phase() == Some(dacapo_core::Phase::Drive) {
            ANSWERED.with_borrow_mut(|times| times.push(self.guest.now()));
        }
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Clients {
        SEEN.take();
        ANSWERED.take();
        Clients { guest, sent: std::cell::Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Clients>> {
        let round = |w: Rc<Clients>, _| w.round();
        vec![Driver::new(round).clients(6).pause(Duration::from_millis(50))]
    }

    async fn judge(self: Rc<Self>) {
        // Alarms that could not ring are tried again after half a minute. And they ring by the clock of whoever owns
        // the object, which may be minutes behind that of the node on which they were set.
        self.guest.sleep(Duration::from_secs(280)).await;
        for list in 0..LISTS {
            let keys = insist(&self.guest, list, "/read", "").await;
            let reminded = keys.iter().any(|key| key.starts_with('r'));
            let rung = keys.iter().any(|key| key.starts_with("alarm"));
            self.guest
                .always_or(rung || !reminded, "an alarm rings wherever its object is", || keys.join(" "));
        }
        SEEN.with_borrow(|all| {
            for (list, history) in all {
                let mistake = mistake(history);
                self.guest.always_or(mistake.is_none(), "each object is linearizable", || {
                    format!("list {list}: {}", mistake.unwrap_or_default())
                });
            }
        });
    }
}

/// Lists on so many of so many nodes.
pub(crate) fn lists(nodes: u32, replicas: u32, faults: &[(&str, &[(&str, Param)])]) -> Experiment {
    let builder = Experiment::native("lists").objects::<(), List>("lists", "List", &[]).replicas(replicas);
    let builder = builder.workload::<Clients>().nodes(nodes);
    let builder = faults.iter().fold(builder, |b, (name, params)| b.fault(name, params, &[]));
    let mut experiment = builder.lasts(Duration::from_secs(20)).build();
    experiment.options_mut().settles = Duration::from_secs(400);
    experiment
}

/// No seed fails.
pub(crate) fn holds(experiment: &Experiment, seeds: std::ops::Range<u64>) {
    if let Some(report) = experiment.seeds(seeds).run().failed {
        let (failure, faults) = (report.failure.unwrap(), report.faults.join(", "));
        panic!("\nseed {}: {failure}\nfaults: {faults}\n", report.seed);
    }
}

#[test]
fn a_history_that_is_not_linearizable_is_seen() {
    let seen = |asked, answered, keys: &[&str], own: Option<&str>| Seen {
        asked: Time(asked),
        answered: Time(answered),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        own: own.map(str::to_owned),
    };
    let good =
        vec![seen(0, 9, &["a", "b"], Some("b")), seen(1, 3, &["a"], Some("a")), seen(5, 20, &["a"], None)];
    assert_eq!(mistake(&good), None);
    let mut stale = good.clone();
    stale.push(seen(10, 12, &["a"], None));
    assert!(mistake(&stale).unwrap().contains("2 keys were answered"), "an old state is read");
    let mut lost = good.clone();
    lost.push(seen(30, 40, &["a", "c"], Some("c")));
    assert!(mistake(&lost).unwrap().contains("is no beginning of"), "an acknowledged write is lost");
    let mut own = good;
    own.push(seen(30, 40, &["a", "b"], Some("d")));
    assert!(mistake(&own).unwrap().contains("its own request"), "a write is acknowledged and not there");
}
