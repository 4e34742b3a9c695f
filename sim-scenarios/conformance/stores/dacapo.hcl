# Queues and KV must be the same on simulated disks and on a real one.

queue "jobs" {
  consumer    = "worker"
  batch       = 3
  wait        = "50ms"
  retries     = 1
  dead_letter = "dead"
}

queue "dead" {
  consumer = "worker"
  wait     = "0s"
}

kv "things" {}

service "worker" {
  module = "worker.ts"
  routes = ["https://worker.example/*"]
  queues = { JOBS = "jobs" }
  kv     = { THINGS = "things" }
}

scenario "stores" {
  workload = "stores.sim.ts"
  nodes    = 2
  lasts    = "3s"
}
