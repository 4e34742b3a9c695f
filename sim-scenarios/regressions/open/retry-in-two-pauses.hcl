seed "retry-in-two-pauses" {
  project   = "../../negative/retry-without-idempotency"
  scenario  = "transfers"
  seed      = 0
  nodes     = 3
  lasts     = "2s 500ms"
  rule      = "no money appears"
  found     = "the same as retry-without-idempotency, shrunk: accounts stands still once while a customer waits for its answer, and again while the teller, who asks again, waits; then both orders are carried out; planted"
  decisions = {
    "process.pause/after_turn n0 gets GET /balances of workload #3" = 1
    "process.pause/after_turn n0 gets the answer of n0 to POST /orders #1" = 1
    "process.pause/lasts process.pause after n0 gets GET /balances of workload #3 #1" = 1040616435
    "process.pause/lasts process.pause after n0 gets the answer of n0 to POST /orders #1 #1" = 185048766
    "rest" = [0, 0, 1, 0]
  }
}
