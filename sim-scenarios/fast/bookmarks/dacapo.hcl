# Objects go back to earlier states by bookmarks, and undo that, while nodes crash, disks fail and objects are evicted and moved:
# a bookmark leads to what it named, all of it or none. One class lives on one node, the other on three.

service "pages" {
  module  = "pages.ts"
  routes  = ["https://pages.example/*"]
  objects = ["Page"]
  calls   = { PAGES = "pages.Page" }
}

service "copies" {
  module   = "pages.ts"
  routes   = ["https://copies.example/*"]
  objects  = ["Page"]
  replicas = 3
  calls    = { PAGES = "copies.Page" }
}

scenario "bookmarks" {
  workload = "bookmarks.sim.ts"
  nodes    = 3
  lasts    = "10s"
  settles  = "300s"
  seeds    = 8
  faults   = ["process", "lease", "disk", "object.evicted", "object.moved"]

  fault "process.crash" {
    every = "3s"
    down  = "1s"
  }
}
