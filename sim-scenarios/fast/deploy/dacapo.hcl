# A new version comes while the old one is at work: two versions live for a while, calls under way are finished, objects
# keep what is on the disk, and at last the new version is everywhere.

service "counter" {
  module  = "counter.ts"
  next    = "counter.next.ts"
  routes  = ["https://counter.example/*"]
  objects = ["Counter"]
  calls   = { COUNTERS = "counter.Counter" }
}

scenario "deploy" {
  workload = "deploy.sim.ts"
  nodes    = 3
  lasts    = "20s"
  seeds    = 20
  faults   = ["deploy.rolling"]

  fault "deploy.rolling" {
    every = "1s"
  }
}
