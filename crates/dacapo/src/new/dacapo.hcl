# Two services. `greeter` can be reached from outside; `counter` is private: only services
# whose `calls` name it can reach it.

service "greeter" {
  module = "greeter.ts"
  routes = ["http://localhost:8080/*", "http://127.0.0.1:8080/*", "https://greeter.example/*"]
  calls  = { COUNTER = "counter" }
}

service "counter" {
  module    = "counter.ts"
  instances = 1                  # its memory is the only one
}

# What shall survive: run it with `dacapo sim`.
scenario "greeting" {
  workload = "greeting.sim.ts"
  nodes    = 3
  lasts    = "30s"               # virtual time; then faults stop, and the system must recover
  faults   = ["network", "clock"]
}
