# A shop. `shop` is what customers see, written with hono; `orders` keeps the orders, has them paid at an outside
# payment provider and hands them to `warehouse`. Only `orders` may call the provider.

service "shop" {
  module = "src/shop.ts"
  routes = ["https://shop.example/*", "http://localhost:8080/*", "http://127.0.0.1:8080/*"]
  calls  = { ORDERS = "orders" }
}

service "orders" {
  module    = "src/orders.ts"
  calls     = { WAREHOUSE = "warehouse" }
  hosts     = ["api.pay.example"]
  vars      = { PAY_URL = "https://api.pay.example" }
  cron      = ["* * * * *"]
  instances = 1
}

service "warehouse" {
  module    = "src/warehouse.ts"
  instances = 1
}

scenario "checkout" {
  workload = "shop.sim.ts"
  nodes    = 4
  lasts    = "90s"
  settles  = "5m"                # long enough for the cron line of `orders` to come round
  faults   = ["network", "clock", "process"]
  stubs    = { "api.pay.example" = "stubs/pay.ts" }

  # Orders and shipments are in memory only (see README.md).
  fault "process.crash" {
    spare = ["orders", "warehouse"]
  }
  fault "process.stop" {
    spare = ["orders", "warehouse"]
  }
}
