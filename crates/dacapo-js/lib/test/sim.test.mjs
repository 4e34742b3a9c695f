// The workload harness and the module "dacapo:sim".
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "./cluster.mjs";

// Runs a workload, given as the source of its exports, through its phases: 5 virtual seconds of driving.
async function campaign(source, { handler = `() => new Response("ok")`, prepare = () => {} } = {}) {
  const cluster = new Cluster();
  const bank = cluster.start("bank", (g, sim, it) => ({ default: { fetch: it.eval(`(${handler})`) } }));
  const workload = cluster.start("workload", (g, sim, it) => {
    it.context.sim = sim;
    return it.eval(`(() => { const { ${Object.keys(sim).join(", ")} } = sim; globalThis.seen = []; return (${source}) })()`);
  }, { bindings: { BANK: "bank" } });
  prepare({ cluster, bank, workload });
  const phase = (name, until) => {
    const done = new Promise((resolve) => (workload.phaseDone = resolve));
    cluster.post(workload, "phase", name);
    return cluster.run(until === undefined ? done : undefined, until === undefined ? {} : { until });
  };
  await phase("setup");
  await phase("drive", cluster.now + 5000);
  bank.down = bank.hangs = false;
  await phase("heal");
  await phase("judge");
  return { cluster, bank, workload, checks: workload.checks, seen: JSON.parse(workload.eval("JSON.stringify(seen)")) };
}

test("the phases run in order, drivers and invariants again and again", async () => {
  const { seen, checks, workload } = await campaign(`({
    setup: async (env) => { seen.push("setup " + await (await env.BANK.fetch("https://bank.internal/")).text()) },
    drivers: {
      plain: async (env, ctx) => { seen.push("plain " + ctx.client + " " + ctx.running) },
      many: driver(async (env, ctx) => { seen.push("many " + ctx.client) }, { clients: 3, pause: 20 }),
    },
    invariants: { even: async () => { seen.push("even") }, odd: () => { seen.push("odd") } },
    judgments: { last: async (env, ctx) => { seen.push("judge " + ctx.running) } },
  })`);
  assert.equal(seen[0], "setup ok");
  assert.equal(seen.at(-1), "judge false");
  const count = (text) => seen.filter((line) => line === text).length;
  assert.ok(count("plain 0 true") > 20 && count("plain 0 true") < 100, `${count("plain 0 true")} rounds`);
  for (const client of [0, 1, 2]) assert.ok(count(`many ${client}`) > 150);
  assert.equal(count("even"), 20);
  assert.equal(count("odd"), 20);
  assert.deepEqual(checks, []);
  assert.match(workload.lines.map(([, line]) => line).join("\n"), /driver plain: \d+ rounds, 0 ended by a failed fetch/);
});

test("errors of a workload are violations, failed fetches under faults are not", async () => {
  const { checks, workload } = await campaign(
    `({
      drivers: {
        faults: async (env) => { await env.BANK.fetch("https://bank.internal/") },
        aborts: async (env) => { AbortSignal.abort().throwIfAborted() },
        bug: driver(async (env) => { null.x }, { pause: 4000 }),
        wrong: driver(async (env) => { await fetch("https://nowhere.internal/") }, { pause: 4000 }),
      },
      invariants: { sum: async () => { if (!globalThis.once) { globalThis.once = 1; equal({ a: [1, 2] }, { a: [1, 3] }, "sum") } } },
      judgments: { end: async () => { assert(false, "no end") } },
    })`,
    { prepare: ({ bank }) => (bank.down = true) },
  );
  const messages = new Set(checks.map((check) => `${check.kind} ${check.holds} ${check.message}`));
  messages.delete("0 false driver bug: Cannot read properties of null (reading 'x')");
  messages.delete("0 false driver wrong: fetch failed: no such host: https://nowhere.internal/ (unknown)");
  assert.deepEqual([...messages], ["0 false invariant sum: sum", "0 false judgment end: no end"]);
  const sum = checks.find((check) => check.message === "invariant sum: sum");
  assert.match(sum.details, /value\.a\[1\]: got 2, expected 3/);
  assert.match(workload.lines.map(([, line]) => line).join("\n"), /driver faults: (\d+) rounds, \1 ended by a failed fetch/);
});

test("in setup and in judgments a failed fetch is a violation", async () => {
  const { checks } = await campaign(
    `({ setup: (env) => env.BANK.fetch("https://bank.internal/"), judgments: { x: () => fetch("https://nowhere.internal/") } })`,
    { prepare: ({ bank }) => (bank.down = true) },
  );
  assert.deepEqual(
    checks.map((check) => check.message),
    [
      "setup: fetch failed: connection refused (refused)",
      "judgment x: fetch failed: no such host: https://nowhere.internal/ (unknown)",
    ],
  );
});

test("a driver that hangs for ever is named, and the run goes on", async () => {
  const { checks } = await campaign(
    `({ drivers: { stuck: (env) => env.BANK.fetch("https://bank.internal/") } })`,
    { prepare: ({ bank }) => (bank.hangs = true) },
  );
  assert.deepEqual(checks.map((check) => check.message), ["driver stuck: does not end"]);
  assert.match(checks[0].details, /AbortSignal\.timeout/);
});

test("malformed exports are violations that say what is wrong", async () => {
  const { checks } = await campaign(`({
    setup: 1, drivers: { a: "x", get b() { return driver(() => 1, { pause: 5000 }) } }, invariants: { c: 2 }, judgments: [],
  })`);
  assert.deepEqual(
    checks.map((check) => check.message),
    ["setup: is not a function", "driver a: driver: the first argument must be a function", "invariant c: is not a function"],
  );
});

test("checks are reported with their kind and give their condition back", () => {
  const cluster = new Cluster();
  const it = cluster.start("it", () => ({}));
  const sim = it.lib.modules["dacapo:sim"];
  assert.equal(sim.always(3, "a", { left: 1 }), 3);
  assert.equal(sim.sometimes(false, "s"), false);
  sim.reachable("r");
  sim.unreachable("u", "text");
  assert.throws(() => sim.always(true), /needs a message/);
  assert.deepEqual(it.checks, [
    { kind: 0, holds: true, message: "a", details: "{ left: 1 }" },
    { kind: 1, holds: false, message: "s", details: null },
    { kind: 2, holds: true, message: "r", details: null },
    { kind: 3, holds: false, message: "u", details: "text" },
  ]);
});

test("equal compares deeply and says where values differ", () => {
  const cluster = new Cluster();
  const it = cluster.start("it", () => ({}));
  const same = (a, b) => it.lib.difference(it.eval(`(${a})`), it.eval(`(${b})`));
  for (const value of ["1", "NaN", "{ a: [1, { b: null }] }", "new Map([[1, { x: 1 }]])", "new Set([{ a: 1 }, 2])",
    "new Date(5)", "new Uint8Array([1])", "/x/g", "(() => { const a = {}; a.a = a; return a })()"]) {
    assert.equal(same(value, value), null, value);
  }
  for (const [a, b, pattern] of [
    ["1", "'1'", /value: got 1, expected '1'/],
    ["-0", "0", /got -0/],
    ["{ a: 1, c: 1 }", "{ a: 2, b: 1 }", /value\.a: got 1, expected 2\n {2}value\.b: got nothing, expected 1\n {2}value\.c: got 1, expected nothing/],
    ["[1, 2]", "[1]", /value\[1\]: got 2, expected nothing/],
    ["new Set([1])", "new Set([2])", /value member/],
    ["new Map([[1, 2]])", "new Map()", /value\.get\(1\): got 2, expected nothing/],
    ["[]", "{}", /value: got \[\], expected {}/],
    ["new Error('a')", "new Error('b')", /Error: a/],
  ]) {
    assert.match(same(a, b) ?? "equal", pattern);
  }
});

test("random draws whole numbers within their bounds, and shuffles a copy", () => {
  const cluster = new Cluster();
  const it = cluster.start("it", () => ({}));
  const { random } = it.lib.modules["dacapo:sim"];
  const drawn = new Set(Array.from({ length: 500 }, () => random.int(1, 3)));
  assert.deepEqual([...drawn].sort(), [1, 2, 3]);
  const list = [1, 2, 3, 4];
  assert.deepEqual([...random.shuffle(list)].sort(), list);
  assert.ok(list.includes(random.pick(list)));
  assert.equal(random.chance(0), false);
  assert.equal(random.chance(1), true);
  assert.throws(() => random.pick([]), /empty/);
});
