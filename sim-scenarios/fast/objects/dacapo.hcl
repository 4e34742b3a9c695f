# What durable objects promise, asked of them from outside. Nothing fails here: what is expected is exact.

service "things" {
  module = "things.ts"
  object "Thing" {
    idle = "2s"
  }
  objects = ["Plain", "Missing"]
  calls   = { THINGS = "things.Thing" }
}

# May call the objects of another service, and no others.
service "guest" {
  module = "guest.ts"
  routes = ["https://guest.example/*"]
  calls  = { THINGS = "things.Thing" }
}

scenario "objects" {
  workload = "objects.sim.ts"
  nodes    = 3
  lasts    = "20s"
  seeds    = 20
}
