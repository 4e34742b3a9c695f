# Durable increments, as `benches/objects/run.sh` serves them.
service "counter" {
  module  = "counter.js"
  routes  = ["http://127.0.0.1/*"]
  objects = ["Counter"]
  calls   = { COUNTERS = "counter.Counter" }
}
