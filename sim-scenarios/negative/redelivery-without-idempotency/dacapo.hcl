# A planted bug: a consumer books a payment for each message that it is given. A queue delivers at least once: when it
# does not hear that a batch was handled, it hands it over again, and the payment is booked twice.
#
# `dacapo sim` must find within 100 seeds that more was booked than paid.

queue "payments" {
  consumer = "books"
  wait     = "1s"
}

service "till" {
  module = "till.ts"
  routes = ["https://till.example/*"]
  queues = { PAYMENTS = "payments" }
}

service "books" {
  module  = "books.ts"
  routes  = ["https://books.example/*"]
  objects = ["Account"]
  calls   = { ACCOUNTS = "books.Account" }
}

scenario "payments" {
  workload = "payments.sim.ts"
  nodes    = 2
  lasts    = "20s"
  faults   = ["queue.redelivered", "queue.split"]
}
