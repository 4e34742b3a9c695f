# A planted bug: a write is acknowledged before the copy that is read has heard of it, so that a client may read what was
# overwritten before it asked. Needs no fault, only a client that is quick.
#
# `dacapo sim` must find within 100 seeds that the registers are not linearizable, and draw the read that is stale. The twin
# that waits for the copy is in ../../fast/histories.

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

scenario "reading" {
  workload = "reading.sim.ts"
  nodes    = 2
  lasts    = "5s"
}
