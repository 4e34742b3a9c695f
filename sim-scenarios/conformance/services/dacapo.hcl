# Services that call services must be the same in Sim and over a real machine: bindings, names, vars, rights that
# are missing, work after the response, modules.

service "front" {
  module    = "front.ts"
  routes    = ["https://front.example/*"]
  calls     = { BACK = "back" }
  vars      = { GREETING = "hello", NUMBERS = [1, 2.5], NESTED = { on = true, nothing = null } }
  instances = 1
}

service "back" {
  module    = "back.ts"
  instances = 1
}

service "stranger" {
  module    = "back.ts"
  instances = 1
}

scenario "services" {
  workload = "services.sim.ts"
  nodes    = 2
  lasts    = "1s"
}
