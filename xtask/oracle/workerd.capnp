# The cases, as npm's workerd runs them. The runner names the socket "http" and the folder "data".
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ (name = "oracle", worker = .oracle), (name = "data", disk = (writable = true)) ],
  sockets = [ (name = "http", http = (), service = "oracle") ],
);

const oracle :Workerd.Worker = (
  modules = [
    (name = "main.js", esModule = embed "main.js"),
    (name = "show.js", esModule = embed "show.js"),
    (name = "cases/alarms.js", esModule = embed "cases/alarms.js"),
    (name = "cases/bookmarks.js", esModule = embed "cases/bookmarks.js"),
    (name = "cases/gates.js", esModule = embed "cases/gates.js"),
    (name = "cases/ids.js", esModule = embed "cases/ids.js"),
    (name = "cases/kv.js", esModule = embed "cases/kv.js"),
    (name = "cases/queues.js", esModule = embed "cases/queues.js"),
    (name = "cases/rpc.js", esModule = embed "cases/rpc.js"),
    (name = "cases/sql.js", esModule = embed "cases/sql.js"),
    (name = "cases/storage.js", esModule = embed "cases/storage.js"),
    (name = "cases/web.js", esModule = embed "cases/web.js"),
    (name = "cases/workflows.js", esModule = embed "cases/workflows.js"),
  ],
  compatibilityDate = "2026-01-01",
  durableObjectNamespaces = [
    (className = "Probe", uniqueKey = "probe", enableSql = true),
    (className = "Subject", uniqueKey = "subject", enableSql = true),
    (className = "Gated", uniqueKey = "gated", enableSql = true),
    (className = "Ringing", uniqueKey = "ringing", enableSql = true),
    (className = "Journal", uniqueKey = "journal", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "PROBES", durableObjectNamespace = "Probe"),
    (name = "SUBJECTS", durableObjectNamespace = "Subject"),
    (name = "GATED", durableObjectNamespace = "Gated"),
    (name = "RINGING", durableObjectNamespace = "Ringing"),
    (name = "JOURNALS", durableObjectNamespace = "Journal"),
  ],
);
