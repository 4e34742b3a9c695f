# Three services on each of three nodes.

service "one" {
  module = "service.ts"
  routes = ["https://one.example/*"]
}

service "two" {
  module = "service.ts"
  routes = ["https://two.example/*"]
}

service "three" {
  module = "service.ts"
  routes = ["https://three.example/*"]
}

scenario "cold" {
  workload = "cold.sim.ts"
  nodes    = 3
  lasts    = "1ms"
}
