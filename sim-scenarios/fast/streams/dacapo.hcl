# Long bodies on bad links: narrow, clogged, breaking off in the middle. What is read must be a beginning of what was
# written, whole if the reader was told that it is whole, and never longer.

service "tape" {
  module = "tape.ts"
  routes = ["https://tape.example/*"]
  calls  = { SOURCE = "source" }
}

service "source" {
  module = "source.ts"
}

scenario "streams" {
  workload = "streams.sim.ts"
  nodes    = 3
  lasts    = "30s"
  faults   = ["net.reset", "net.bandwidth", "net.clog", "net.loss", "process.crash", "process.slow"]

  fault "net.reset" {
    rate = 0.2
  }
  fault "net.bandwidth" {
    bytes_per_second = 200000
  }
  fault "process.crash" {
    every = "2s"
  }
}
