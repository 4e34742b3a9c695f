# Workflows while their nodes crash at any point: each step takes effect at least once, what was recorded is what the
# code sees for ever after, and each instance comes to its end.

service "flows" {
  module = "flows.ts"
  calls  = { LEDGERS = "ledger.Ledger" }
  workflow "Flow" {
    idle = "1s"
  }
}

service "ledger" {
  module  = "ledger.ts"
  objects = ["Ledger"]
}

scenario "crashes" {
  workload = "crashes.sim.ts"
  nodes    = 3
  lasts    = "20s"
  settles  = "20m"
  seeds    = 30
  faults   = ["network", "process", "disk", "clock.skew", "clock.drift"]
  fault "process.crash" {
    every = "1s"
    down  = "500ms"
  }
}

# A month of virtual time, in which every node is lost again and again.
scenario "month" {
  workload = "month.sim.ts"
  nodes    = 3
  lasts    = "40d"
  settles  = "1d"
  seeds    = 10
  faults   = ["process.crash", "process.stop", "disk"]
  fault "process.crash" {
    every = "1d"
    down  = "1h"
  }
  fault "process.stop" {
    every = "3d"
    down  = "1h"
  }
  fault "disk.full" {
    every = "4d"
    lasts = "1h"
  }
  fault "disk.latency" {
    every = "4d"
    lasts = "1h"
  }
}

# One instance, for a crash at each operation of a disk and at each message: see crates/dacapo/tests/workflows.rs.
scenario "everywhere" {
  workload = "everywhere.sim.ts"
  nodes    = 2
  lasts    = "1s"
  settles  = "10m"
}
