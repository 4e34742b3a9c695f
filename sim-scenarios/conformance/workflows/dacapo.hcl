# Workflows must be the same on simulated disks and on a real one.

service "flows" {
  module = "flows.ts"
  routes = ["https://flows.example/*"]
  calls  = { FLOWS = "flows.Flow" }
  workflow "Flow" {
    idle    = "300ms"
    version = "1"
  }
}

scenario "workflows" {
  workload = "flows.sim.ts"
  nodes    = 2
  lasts    = "3s"
}
