//! An object is in memory while it is used, and on the disk always.

use std::time::Duration;

use dacapo_lab::prelude::*;

use crate::thing::{Story, Thing, ask, read, story, story_with};

struct Idle;

impl Story for Idle {
    async fn tell(guest: Guest) {
        let ask = async |path: &str| ask(&guest, "x", path, "").await.expect("nothing fails");
        assert_eq!((ask("/add").await, ask("/served").await), ("1".to_owned(), "2".to_owned()));
        guest.sleep(Duration::from_secs(9)).await;
        assert_eq!(ask("/served").await, "3", "it is in memory, as it was used meanwhile");
        guest.sleep(Duration::from_secs(9)).await;
        assert_eq!(ask("/served").await, "4");
        guest.sleep(Duration::from_secs(21)).await;
        assert_eq!(ask("/served").await, "1", "it has left memory");
        assert_eq!(ask("/add").await, "2", "with its state");
    }
}

#[test]
fn an_idle_object_leaves_memory_and_comes_back_with_its_state() {
    story::<Idle>().seeds(0..5).check();
}

struct Busy;

impl Story for Busy {
    async fn tell(guest: Guest) {
        let long = guest.object("things.Thing", "x", Request::get("https://things.example/slow"));
        assert_eq!(guest.timeout(Duration::from_secs(5), long).await.unwrap().unwrap().into_text(), "1");
        assert_eq!(ask(&guest, "x", "/served", "").await, Ok("2".to_owned()));
    }
}

#[test]
fn an_object_does_not_leave_memory_while_it_answers() {
    story_with::<Busy, Thing>(Duration::from_millis(20)).seeds(0..10).check();
}

struct Many;

impl Story for Many {
    async fn tell(guest: Guest) {
        for round in 1..=3 {
            for number in 0..200 {
                let name = format!("thing {number}");
                assert_eq!(ask(&guest, &name, "/add", "").await, Ok(round.to_string()));
            }
            guest.sleep(Duration::from_secs(30)).await;
        }
        assert_eq!(read(&guest, "thing 7").await, 3);
    }
}

#[test]
fn many_objects_come_and_go_and_each_keeps_what_is_its_own() {
    let mut experiment = story::<Many>();
    experiment.options_mut().settles = Duration::from_secs(600);
    experiment.seeds(0..2).check();
}
