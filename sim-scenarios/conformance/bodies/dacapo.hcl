# Bodies must be the same in Sim and over a real socket: text, bytes, Unicode, streams in both directions, bodies
# longer than the window of a connection, and bodies that break off.

service "bodies" {
  module    = "bodies.ts"
  routes    = ["https://bodies.example/*"]
  instances = 1
}

scenario "bodies" {
  workload = "bodies.sim.ts"
  nodes    = 1
  lasts    = "1s"
}
