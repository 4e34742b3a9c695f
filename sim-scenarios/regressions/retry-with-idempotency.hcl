seed "retry-with-idempotency" {
  project   = "../../examples/bank"
  scenario  = "transfers"
  seed      = 0
  rule      = "no money appears"
  found     = "the same faults as in open/retry-without-idempotency, and the bank with its idempotency key, which carries a deposit out once"
}
