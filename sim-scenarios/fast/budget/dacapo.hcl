# A guest that loops for ever must not hold anybody up: its turn ends at its budget, its caller gets a 500 that says
# so, the next request finds a new instance, and its neighbours on the same node notice nothing.

service "looper" {
  module    = "looper.ts"
  routes    = ["https://looper.example/*"]
  instances = 1

  limits {
    turn_budget = 100000
  }
}

service "neighbour" {
  module    = "neighbour.ts"
  routes    = ["https://neighbour.example/*"]
  instances = 1
}

scenario "budget" {
  workload = "budget.sim.ts"
  nodes    = 1
  lasts    = "10s"
}
