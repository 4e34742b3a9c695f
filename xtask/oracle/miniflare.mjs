// The cases of queues, KV and workflows, as npm's miniflare runs them: it simulates on workerd what workerd alone has not.
//   node miniflare.mjs PORT       until its standard input ends
import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";

const groups = ["alarms", "bookmarks", "gates", "ids", "kv", "queues", "rpc", "sql", "storage", "web", "workflows"];
const paths = ["main.js", "show.js", ...groups.map((group) => `cases/${group}.js`)];
const object = (className) => ({ className, useSQLite: true });
const miniflare = new Miniflare({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  compatibilityDate: "2026-01-01",
  modulesRoot: ".",
  modules: paths.map((path) => ({ type: "ESModule", path, contents: readFileSync(path, "utf8") })),
  durableObjects: {
    PROBES: object("Probe"),
    SUBJECTS: object("Subject"),
    GATED: object("Gated"),
    RINGING: object("Ringing"),
    JOURNALS: object("Journal"),
  },
  kvNamespaces: ["KV"],
  queueProducers: { QUEUE: "oracle" },
  queueConsumers: {
    oracle: { maxBatchSize: 10, maxBatchTimeout: 0.2, maxRetries: 2, deadLetterQueue: "oracle-dead" },
    "oracle-dead": { maxBatchSize: 10, maxBatchTimeout: 0.2 },
  },
  workflows: { STEPS: { name: "steps", className: "Steps" } },
});
process.stdin.resume();
process.stdin.on("end", async () => {
  setTimeout(() => process.exit(1), 5_000);
  await miniflare.dispose();
  process.exit(0);
});
await miniflare.ready;
