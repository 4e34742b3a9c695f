service "prices" {
  module    = "prices.ts"
  routes    = ["https://prices.example/*"]
  calls     = { MARKET = "market" }
  instances = 1
}

service "market" {
  module    = "market.ts"
  instances = 1
}

scenario "quotes" {
  workload = "quotes.sim.ts"
  nodes    = 2
  lasts    = "10s"
  faults   = ["net.loss"]
}
