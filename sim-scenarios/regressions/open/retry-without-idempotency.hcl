seed "retry-without-idempotency" {
  project   = "../../negative/retry-without-idempotency"
  scenario  = "transfers"
  seed      = 0
  rule      = "no money appears"
  found     = "dacapo sim sim-scenarios/negative/retry-without-idempotency: the answer to a deposit is lost or late, the teller asks again, and accounts carries the deposit out twice; planted"
}
