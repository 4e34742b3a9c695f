# What workflows promise, asked of them from outside: steps and their retries, sleeps, events, controls, queries and
# updates. Nothing fails here: what is expected is exact.

service "flows" {
  module  = "flows.ts"
  routes  = ["https://flows.example/*"]
  calls   = { SWITCH = "flows.Switch" }
  objects = ["Switch"]
  workflow "Flow" {
    idle = "2s"
  }
  # Code that runs for ever is found out soon.
  limits {
    turn_budget = 1000000
  }
  workflow "Missing" {}
  workflow "Plain" {}
}

scenario "workflows" {
  workload = "flows.sim.ts"
  nodes    = 3
  lasts    = "10s"
  settles  = "10m"
  seeds    = 20
}
