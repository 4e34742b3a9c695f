# A planted bug: the next version of a service writes orders in another form. It reads both; the first version, which
# lives beside it while nodes are changed one by one, reads only its own.
#
# `dacapo sim` must find within 100 seeds that an order that was taken cannot be read.

kv "orders" {}

service "shop" {
  module = "shop.ts"
  next   = "shop.next.ts"
  routes = ["https://shop.example/*"]
  kv     = { ORDERS = "orders" }
}

scenario "orders" {
  workload = "orders.sim.ts"
  nodes    = 3
  lasts    = "30s"
  faults   = ["deploy.rolling"]
}
