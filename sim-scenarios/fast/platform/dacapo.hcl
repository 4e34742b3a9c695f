# What the platform may do to a service and to objects, in the middle of their work, and what must hold nevertheless.

service "till" {
  module  = "till.ts"
  routes  = ["https://till.example/*"]
  objects = ["Account"]
  calls   = { ACCOUNTS = "till.Account" }
}

# Goes on after its answers. There is one, so its memory says whether it has ended.
service "bell" {
  module    = "bell.ts"
  routes    = ["https://bell.example/*"]
  instances = 1
}

scenario "platform" {
  workload = "platform.sim.ts"
  nodes    = 3
  lasts    = "30s"
  seeds    = 30
  faults   = ["platform"]

  fault "cpu.killed" {
    rate  = 0.1
    spare = ["bell"]
  }
}
