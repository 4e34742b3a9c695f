# A planted bug: the bank of examples/bank, whose teller asks again without an idempotency key. An answer that
# was lost then looks like a request that was lost, and the order is carried out twice.
#
# `dacapo sim` must find within 100 seeds that money appears or that an account holds what its orders do not leave.

service "teller" {
  module = "src/teller.ts"
  routes = ["https://bank.example/*"]
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

  fault "process.crash" {
    every = "5s"
    spare = ["accounts", "journal"]
  }
  fault "process.stop" {
    every = "10s"
    spare = ["accounts", "journal"]
  }
}
