# Durable objects must be the same on simulated disks and on a real one.

service "things" {
  module  = "things.ts"
  routes  = ["https://things.example/*"]
  objects = ["Thing"]
  calls   = { THINGS = "things.Thing" }
}

scenario "objects" {
  workload = "objects.sim.ts"
  nodes    = 2
  lasts    = "3s"
}
