# HTTP as a guest sees it must be the same in Sim and over a real socket: methods, URLs, headers, status codes,
# redirects, and what becomes of a handler that throws.

service "echo" {
  module    = "echo.ts"
  routes    = ["https://echo.example/*"]
  instances = 1
}

scenario "http" {
  workload = "http.sim.ts"
  nodes    = 1
  lasts    = "1s"
}
