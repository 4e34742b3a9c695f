# Objects that are called, leave memory, and are called again: the second call finds each of them cold.

service "cold" {
  module    = "cold.ts"
  instances = 1
  object "Cold" { idle = "1s" }
}

scenario "activation" {
  workload = "activation.sim.ts"
  nodes    = 1
  lasts    = "1ms"
  settles  = "1h"
}
