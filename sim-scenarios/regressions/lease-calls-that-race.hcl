seed "lease-calls-that-race" {
  project   = "../fast/placement"
  scenario  = "placement"
  seed      = 0
  strategy  = "sparse"
  rule      = "driver count: does not end"
  found     = "a portfolio, with its second attempt: a node that stood still while it booted had several calls for the same leases under way; each answer looked like somebody else's attempt to the others, so all of them were made again without end, and nobody ever owned a slice"
}
