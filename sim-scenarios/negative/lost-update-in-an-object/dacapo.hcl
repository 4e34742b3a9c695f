# A planted bug: a durable object reads, waits for another service, and writes. Storage operations let nobody in, but
# waiting for a fetch does. Needs no fault, only two clients at once.
#
# `dacapo sim` must find within 100 seeds that the count is lower than what was acknowledged.

service "counter" {
  module  = "counter.ts"
  routes  = ["https://counter.example/*"]
  objects = ["Counter"]
  calls   = { COUNTERS = "counter.Counter", STEPS = "steps" }
}

service "steps" {
  module = "steps.ts"
}

scenario "counting" {
  workload = "counting.sim.ts"
  nodes    = 2
  lasts    = "5s"
}
