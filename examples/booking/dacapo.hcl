# Trips: a seat, a room and the money for both, at three services. Either a trip gets all of them, or none.

service "booking" {
  module = "src/booking.ts"
  routes = ["https://booking.example/*", "http://localhost:8080/*", "http://127.0.0.1:8080/*"]
  calls = {
    BOOKINGS = "booking.Booking"
    FLIGHTS  = "flights.Flight"
    HOTELS   = "hotels.Hotel"
    WALLETS  = "payments.Wallet"
  }

  workflow "Booking" {}
}

service "flights" {
  module  = "src/flights.ts"
  objects = ["Flight"]
}

service "hotels" {
  module  = "src/hotels.ts"
  objects = ["Hotel"]
}

service "payments" {
  module  = "src/payments.ts"
  objects = ["Wallet"]
}

scenario "trips" {
  workload = "trips.sim.ts"
  nodes    = 4
  lasts    = "20s"
  settles  = "10m"
  faults   = ["network", "process", "clock", "disk"]
}
