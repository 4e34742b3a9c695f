# The web platform inside of a guest must not depend on the world: order of timers and microtasks, text, URLs,
# crypto, clones, events, aborts, time zone and locale.

service "probe" {
  module    = "probe.ts"
  routes    = ["https://probe.example/*"]
  instances = 1
}

scenario "platform" {
  workload = "platform.sim.ts"
  nodes    = 1
  lasts    = "1s"
}
