# A counter for each name, as a durable object: what it knows is on a disk, and survives whatever happens to its node.

service "counter" {
  module  = "counter.ts"
  routes  = ["https://counter.example/*", "http://localhost:8080/*", "http://127.0.0.1:8080/*"]
  objects = ["Counter"]
  calls   = { COUNTERS = "counter.Counter", STEPS = "steps" }
}

service "steps" {
  module = "steps.ts"
}

scenario "counting" {
  workload = "counting.sim.ts"
  nodes    = 3
  lasts    = "20s"
  faults   = ["network", "process", "clock", "disk"]
}
