# A stub stands in for a host outside of the system. The service that calls it cannot tell; the workload can look
# behind it. Stubs do not crash, and the network between them and the services is as bad as any.

service "weather" {
  module = "weather.ts"
  routes = ["https://weather.example/*"]
  hosts  = ["api.sky.example", "*.stations.example"]
}

scenario "stubs" {
  workload = "stubs.sim.ts"
  nodes    = 2
  lasts    = "20s"
  faults   = ["net.loss", "net.delay", "process.crash"]
  stubs = {
    "api.sky.example"       = "sky.ts"
    "rome.stations.example" = "station.ts"
    "oslo.stations.example" = "station.ts"
  }
}
