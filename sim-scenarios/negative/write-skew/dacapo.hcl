# A planted bug: a store gives each transaction a snapshot, and refuses the second of two that write the same list. That
# is snapshot isolation: two transactions that each read what the other writes both take place (write skew).
#
# `dacapo sim` must find within 100 seeds that the transactions are not serializable, and show the circle. The twin
# that looks at what was read as well is in ../../fast/histories.

service "store" {
  module    = "store.ts"
  routes    = ["https://store.example/*"]
  calls     = { AUDIT = "audit" }
  instances = 1
}

service "audit" {
  module = "audit.ts"
}

scenario "transactions" {
  workload = "transactions.sim.ts"
  nodes    = 2
  lasts    = "5s"
}
