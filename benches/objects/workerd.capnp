# Durable increments on workerd, stored on disk. `run.sh` names the socket "http" and the folder "data".
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ (name = "counter", worker = .counter), (name = "data", disk = (writable = true)) ],
  sockets = [ (name = "http", http = (), service = "counter") ],
);

const counter :Workerd.Worker = (
  modules = [ (name = "counter.js", esModule = embed "counter.js") ],
  compatibilityDate = "2025-01-01",
  durableObjectNamespaces = [ (className = "Counter", uniqueKey = "counter", enableSql = true) ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [ (name = "COUNTERS", durableObjectNamespace = "Counter") ],
);
