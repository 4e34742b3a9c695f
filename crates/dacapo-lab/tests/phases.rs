//! Each phase of a scenario ends, whatever the workload does.

use std::rc::Rc;
use std::time::Duration;

use dacapo_lab::prelude::*;

/// Prepares without end, though something always happens.
struct Slow(Guest);

impl Workload for Slow {
    fn start(guest: Guest) -> Slow {
        Slow(guest)
    }

    async fn setup(self: Rc<Self>) {
        loop {
            self.0.sleep(Duration::from_secs(1)).await;
        }
    }

    fn drivers() -> Vec<Driver<Slow>> {
        Vec::new()
    }
}

#[test]
fn a_setup_that_does_not_end_is_told_in_virtual_time() {
    let report = Experiment::native("slow").workload::<Slow>().build().run(1);
    let failure = report.failure.expect("it has not ended").to_string();
    assert_eq!(
        failure,
        "the workload did not finish its setup phase in time: no call is open; the workload waits for something else"
    );
    assert!(report.time.as_secs_f64() <= 61.0, "{}", report.time);
}
