# A planted bug: a lease without fencing. A worker that was paused, whose clock is slow or whose message is late still
# believes that it leads, and the register takes what it writes. `examples/leader` is the same with fencing.
#
# `dacapo sim` must find within 100 seeds that an old leader writes after a new one.

service "worker" {
  module = "worker.ts"
  routes = ["https://worker.example/*"]
  calls  = { LEASES = "keeper.Lease", REGISTERS = "keeper.Register" }
}

service "keeper" {
  module  = "keeper.ts"
  objects = ["Lease", "Register"]
}

scenario "leading" {
  workload = "leading.sim.ts"
  nodes    = 3
  lasts    = "60s"
  faults   = ["network", "process", "clock", "disk"]
}
