# A small bank of three services. `teller` is the counter: it can be reached from outside. `accounts`
# holds the balances and `journal` the book of what was done; both are private, and each has one memory.

service "teller" {
  module = "src/teller.ts"
  routes = ["https://bank.example/*", "http://localhost:8080/*", "http://127.0.0.1:8080/*"]
  calls  = { ACCOUNTS = "accounts", JOURNAL = "journal" }
}

service "accounts" {
  module    = "src/accounts.ts"
  instances = 1
}

service "journal" {
  module    = "src/journal.ts"
  instances = 1
}

scenario "transfers" {
  workload = "bank.sim.ts"
  nodes    = 5
  lasts    = "60s"
  faults   = ["network", "clock", "process"]

  # What these two know is in memory only, so the faults that wipe a memory leave their nodes alone.
  # They are still paused, slowed down and cut off.
  fault "process.crash" {
    every = "5s"
    spare = ["accounts", "journal"]
  }
  fault "process.stop" {
    every = "10s"
    spare = ["accounts", "journal"]
  }
}
