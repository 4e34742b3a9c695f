# One service that calls another ten thousand times, on two nodes.

service "pinger" {
  module    = "pinger.ts"
  instances = 1
  routes    = ["https://pinger.example/*"]
  calls     = { PONGER = "ponger" }
}

service "ponger" {
  module    = "ponger.ts"
  instances = 1
}

scenario "hop" {
  workload = "hop.sim.ts"
  nodes    = 2
  lasts    = "1ms"
  settles  = "1h"
}
