// Runs cases by their names and answers with what they observed, so that two runtimes can be compared.
//   GET /          the names, one a line
//   GET /GROUP/N   what case N of a group observed
import { DurableObject } from "cloudflare:workers";
import { show } from "./show.js";
import * as alarms from "./cases/alarms.js";
import * as bookmarks from "./cases/bookmarks.js";
import * as gates from "./cases/gates.js";
import * as ids from "./cases/ids.js";
import * as kv from "./cases/kv.js";
import * as queues from "./cases/queues.js";
import * as rpc from "./cases/rpc.js";
import * as sql from "./cases/sql.js";
import * as storage from "./cases/storage.js";
import * as web from "./cases/web.js";
import * as workflows from "./cases/workflows.js";

const groups = { alarms, bookmarks, gates, ids, kv, queues, rpc, sql, storage, web, workflows };

// Takes down what a case says, and how it ends.
async function observe(run) {
  const lines = [];
  const log = (...values) => lines.push(values.map((value) => show(value)).join(" "));
  try {
    const result = await run(log);
    if (result !== undefined) log("gives", result);
  } catch (error) {
    log("throws", error);
  }
  return lines.join("\n");
}

// What a case sees of an error: which class, and not the words.
const tries = (log) => async (what, run) => {
  try {
    log(what, await run());
  } catch (error) {
    log(what, "throws", error);
  }
};

// An object of its own for each case.
export class Probe extends DurableObject {
  run(group, name) {
    const { ctx, env } = this;
    return observe((log) => groups[group].inside[name]({ ctx, storage: ctx.storage, env, log, tries: tries(log) }));
  }
  // Without it, no alarm can be set.
  alarm() {}
}

export class Subject extends rpc.Subject {}
export class Gated extends gates.Gated {}
export class Ringing extends alarms.Ringing {}
export class Journal extends queues.Journal {}
export class Steps extends workflows.Steps {}

export default {
  queue: queues.consume,
  async fetch(request, env) {
    const [, group, name] = new URL(request.url).pathname.split("/").map(decodeURIComponent);
    if (!group) {
      const names = Object.entries(groups).flatMap(([group, { inside = {}, outside = {} }]) =>
        [...Object.keys(inside), ...Object.keys(outside)].map((name) => `${group}/${name}`));
      return new Response(names.join("\n"));
    }
    if (groups[group]?.inside?.[name] !== undefined) {
      return new Response(await env.PROBES.getByName(`${group}/${name}`).run(group, name));
    }
    const run = groups[group]?.outside?.[name];
    if (run === undefined) return new Response("no such case", { status: 404 });
    return new Response(await observe((log) => run({ env, log, tries: tries(log) })));
  },
};
