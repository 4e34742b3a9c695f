# Modules load the same way every time: top-level await, JSON, dynamic import, cycles, packages from node_modules
# with `exports`, TypeScript that is only stripped. Services share no memory, not even through a module.

service "one" {
  module    = "one.ts"
  routes    = ["https://one.example/*"]
  instances = 1
}

service "two" {
  module    = "two.ts"
  routes    = ["https://two.example/*"]
  instances = 1
}

scenario "modules" {
  workload = "modules.sim.ts"
  nodes    = 1
  lasts    = "5s"
}
