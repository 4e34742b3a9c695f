# The cases, as Dacapo runs them.

service "oracle" {
  module  = "main.js"
  routes  = ["http://127.0.0.1/*"]
  objects = ["Probe", "Subject", "Gated", "Ringing", "Journal"]
  calls = {
    PROBES   = "oracle.Probe"
    SUBJECTS = "oracle.Subject"
    GATED    = "oracle.Gated"
    RINGING  = "oracle.Ringing"
    JOURNALS = "oracle.Journal"
    STEPS    = "oracle.Steps"
  }
  queues = { QUEUE = "oracle" }
  kv     = { KV = "oracle" }

  workflow "Steps" {}
}

queue "oracle" {
  consumer    = "oracle"
  wait        = "200ms"
  retries     = 2
  dead_letter = "oracle-dead"
}

queue "oracle-dead" {
  consumer = "oracle"
  wait     = "200ms"
}

kv "oracle" {}
