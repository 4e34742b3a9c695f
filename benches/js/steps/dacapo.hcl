# Ten instances of a workflow with a thousand steps each, one after the other.

service "flows" {
  module    = "flow.ts"
  instances = 1
  workflow "Flow" {}
}

scenario "steps" {
  workload = "steps.sim.ts"
  nodes    = 1
  lasts    = "1ms"
  settles  = "1h"
}
