# A planted bug: a service reads a count, waits for another service, and writes the count back. Whoever counts in
# the meantime is forgotten. Needs no fault, only two clients at once.
#
# `dacapo sim` must find within 100 seeds that the count is lower than what was acknowledged.

service "counter" {
  module    = "counter.ts"
  routes    = ["https://counter.example/*"]
  calls     = { LIMITS = "limits" }
  instances = 1
}

service "limits" {
  module = "limits.ts"
}

scenario "counting" {
  workload = "counting.sim.ts"
  nodes    = 2
  lasts    = "5s"
}
