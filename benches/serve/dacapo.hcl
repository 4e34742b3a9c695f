# Hello world, for `run.sh`.

service "hello" {
  module = "hello.js"
  routes = ["http://127.0.0.1/*"]
}
