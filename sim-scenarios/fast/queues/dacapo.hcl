# What queues promise: asked one by one where nothing fails, and kept by a system whose platform, network and nodes fail.

queue "jobs" {
  consumer    = "worker"
  batch       = 4
  wait        = "1s"
  retries     = 2
  dead_letter = "dead"
}

queue "slow" {
  consumer    = "worker"
  batch       = 1
  wait        = "0s"
  delay       = "30s"
  retry_delay = "10s"
  concurrency = 1
  retries     = 1
}

queue "dead" {
  consumer = "worker"
  wait     = "0s"
}

# It has no handler: its messages wait.
queue "lost" {
  consumer = "sender"
  wait     = "0s"
}

service "sender" {
  module = "sender.ts"
  routes = ["https://sender.example/*"]
  queues = { JOBS = "jobs", SLOW = "slow", LOST = "lost" }
  calls  = { WORKER = "worker" }
}

service "worker" {
  module  = "worker.ts"
  routes  = ["https://worker.example/*"]
  objects = ["Ledger"]
  calls   = { LEDGER = "worker.Ledger" }

  limits {
    turn_budget = 1000000
  }
}

scenario "queues" {
  workload = "queues.sim.ts"
  nodes    = 3
  lasts    = "10s"
  settles  = "10m"
  seeds    = 5
}

scenario "faults" {
  workload = "faults.sim.ts"
  nodes    = 3
  lasts    = "60s"
  settles  = "10m"
  seeds    = 20
  faults   = ["platform", "network", "process", "disk"]
}
