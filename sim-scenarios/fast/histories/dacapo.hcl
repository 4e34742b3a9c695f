# The judges of histories accept what is right, while the network fails (but for requests that come twice: these stores do not tell them from two): transactions that take place only if all that they
# have seen is still the same are strictly serializable, and registers that one copy holds are linearizable. The twins with a bug
# are in ../../negative/write-skew and ../../negative/stale-read.

service "store" {
  module    = "store.ts"
  routes    = ["https://store.example/*"]
  calls     = { AUDIT = "audit" }
  instances = 1
}

service "audit" {
  module = "audit.ts"
}

service "registers" {
  module    = "register.ts"
  routes    = ["https://registers.example/*"]
  calls     = { COPY = "copy" }
  instances = 1
}

service "copy" {
  module    = "copy.ts"
  instances = 1
}

scenario "transactions" {
  workload = "transactions.sim.ts"
  nodes    = 2
  lasts    = "10s"
  seeds    = 20
  faults   = ["net.delay", "net.loss", "net.partition", "net.reset"]
}

scenario "reading" {
  workload = "reading.sim.ts"
  nodes    = 2
  lasts    = "10s"
  seeds    = 20
  faults   = ["net.delay", "net.loss", "net.partition", "net.reset"]
}
