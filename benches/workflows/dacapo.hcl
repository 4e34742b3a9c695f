# Workflows of ten steps, as `benches/workflows/run.sh` serves them.

service "front" {
  module = "flow.js"
  routes = ["http://127.0.0.1/*"]
  calls  = { FLOWS = "front.Flow", WORK = "work" }
  workflow "Flow" {}
}

service "work" {
  module = "work.js"
}
