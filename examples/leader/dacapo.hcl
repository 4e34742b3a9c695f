# Workers of which one leads at a time, by a lease. Whoever believes that it still leads may be wrong: it was paused, its
# clock is slow, its message is late. So each lease has a number, and who is written to refuses the older ones (fencing).

service "worker" {
  module = "worker.ts"
  routes = ["https://worker.example/*", "http://localhost:8080/*", "http://127.0.0.1:8080/*"]
  calls  = { LEASES = "keeper.Lease", REGISTERS = "keeper.Register" }
}

service "keeper" {
  module  = "keeper.ts"
  objects = ["Lease", "Register"]
}

scenario "leading" {
  workload = "leading.sim.ts"
  nodes    = 3
  lasts    = "60s"
  faults   = ["network", "process", "clock", "disk"]
}
