//! How both moonpool programs drive its simulated world: step by step until the work is done.
//!
//! The network is in its `fast_local` configuration, which has no faults. (`SimulationBuilder`
//! cannot switch off those of the default configuration, and does more at each step.)

use moonpool::executor::{Executor, JoinHandle, until_stalled};
use moonpool::{NetworkConfiguration, SimWorld};

/// Runs the task that `start` gives to its end.
pub fn run(start: impl FnOnce(&SimWorld) -> JoinHandle<()>) {
    Executor::new(1).block_on(async move {
        let mut world = SimWorld::new_with_network_config_and_seed(NetworkConfiguration::fast_local(), 1);
        let task = start(&world);
        until_stalled().await;
        while !task.is_finished() {
            assert!(world.has_pending_events(), "everybody waits for nothing");
            world.step();
            until_stalled().await;
        }
        task.await.expect("no panic");
    });
}
