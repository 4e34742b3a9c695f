# What KV promises: asked one by one where nothing fails, and kept where platform, network, nodes and disks fail.

kv "things" {}
kv "sessions" {}

service "front" {
  module = "front.ts"
  routes = ["https://front.example/*"]
  kv     = { SESSIONS = "sessions" }
}

scenario "kv" {
  workload = "kv.sim.ts"
  nodes    = 3
  lasts    = "5s"
  settles  = "5h"
  seeds    = 3
}

scenario "faults" {
  workload = "faults.sim.ts"
  nodes    = 3
  lasts    = "60s"
  seeds    = 20
  faults   = ["platform", "network", "process", "disk"]
}
