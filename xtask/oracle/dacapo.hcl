# The cases, as Dacapo runs them.

service "oracle" {
  module  = "main.js"
  routes  = ["http://127.0.0.1/*"]
  objects = ["Probe", "Subject", "Gated", "Ringing"]
  calls = {
    PROBES   = "oracle.Probe"
    SUBJECTS = "oracle.Subject"
    GATED    = "oracle.Gated"
    RINGING  = "oracle.Ringing"
  }
}
