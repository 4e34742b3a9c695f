# Who may call whom is said by the configuration alone: a private service cannot be reached from outside, a call
# that is not granted is refused with the line that is missing, and what is granted works.

service "front" {
  module = "front.ts"
  routes = ["https://front.example/*"]
  calls  = { LEDGER = "ledger" }
}

service "ledger" {
  module    = "ledger.ts"
  instances = 1
}

service "vault" {
  module    = "ledger.ts"
  instances = 1
}

scenario "rights" {
  workload = "rights.sim.ts"
  nodes    = 3
  lasts    = "10s"
}
