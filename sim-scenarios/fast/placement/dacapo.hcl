# Counters are kept on three nodes each. Nodes crash and stop, the network parts them, disks fail, leases end early, two
# nodes take themselves for the owner: no acknowledged count is lost, and none counts twice.

service "counter" {
  module   = "counter.ts"
  routes   = ["https://counter.example/*"]
  objects  = ["Counter"]
  replicas = 3
  calls    = { COUNTERS = "counter.Counter" }
}

scenario "placement" {
  workload = "placement.sim.ts"
  nodes    = 3
  lasts    = "20s"
  settles  = "300s"
  seeds    = 20
  faults   = ["network", "process", "clock", "lease", "disk", "platform"]

  fault "process.crash" {
    every = "5s"
    down  = "10s"
  }
  fault "net.partition" {
    every = "5s"
    lasts = "8s"
  }
}

scenario "five-nodes" {
  workload = "placement.sim.ts"
  nodes    = 5
  lasts    = "20s"
  settles  = "300s"
  seeds    = 10
  faults   = ["process.crash", "process.stop", "net.partition", "lease.early"]
}
