# A planted bug: a booking holds a seat, then asks for the money, and gives up when that is refused, without giving back
# the seat. Needs no fault, only a customer who has spent what he had.
#
# `dacapo sim` must find within 100 seeds that seats are held which nobody has paid for.

service "booking" {
  module = "booking.ts"
  calls  = { FLIGHTS = "flights.Flight", WALLETS = "payments.Wallet" }
  workflow "Booking" {}
}

service "flights" {
  module  = "holdings.ts"
  objects = ["Flight"]
}

service "payments" {
  module  = "holdings.ts"
  objects = ["Wallet"]
}

scenario "trips" {
  workload = "trips.sim.ts"
  nodes    = 3
  lasts    = "5s"
}
