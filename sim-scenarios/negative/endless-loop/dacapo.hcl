# A planted bug: a service loops for ever on some input. Its turn ends when its budget is used up, its caller gets a
# 500, and its memory is gone: the next request finds a new instance.
#
# `dacapo sim` must find within 100 seeds that a note which was acknowledged is no longer there.

service "notes" {
  module    = "notes.ts"
  routes    = ["https://notes.example/*"]
  instances = 1

  limits {
    turn_budget = 1000000
  }
}

scenario "notes" {
  workload = "notes.sim.ts"
  nodes    = 1
  lasts    = "10s"
}
