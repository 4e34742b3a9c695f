// Histories and the judges of "dacapo:sim" that are written in JavaScript.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "./cluster.mjs";

// Runs code with all of "dacapo:sim" in its scope; the judges in Rust answer with `judge`.
async function run(source, judge = () => ({ verdict: "holds", text: "" })) {
  const cluster = new Cluster();
  const workload = cluster.start("workload");
  workload.judge = (request) => JSON.stringify(judge(JSON.parse(request)));
  workload.context.sim = workload.lib.modules["dacapo:sim"];
  const names = Object.keys(workload.context.sim).join(", ");
  const result = await cluster.run(workload.eval(`(async () => { const { ${names} } = sim; ${source} })()`));
  return { result, checks: workload.checks, cluster };
}

const CELL = `const cell = {
  name: "cell", init: 0, reads: ["get"],
  step: (state, { f, value, result, outcome }) =>
    f === "put" ? { ok: true, state: value } : { ok: outcome === "unknown" || result === state, state },
};`;

test("a call records what was asked, what was answered, and what nobody knows", async () => {
  let asked;
  const source = `
    const h = history();
    const value = { n: 1 };
    const answer = await h.call(0, { f: "write", key: "x", value }, async () => { value.n = 2; return "done" });
    const refused = await h.call(1, { f: "write", value: 2 }, () => { throw new Refused() });
    const error = await h.call(2, { f: "read" }, async () => { throw new Error("lost") }).catch((error) => error.message);
    linearizable(h, "register", { initial: 7 });
    return [answer, refused, error, h.length, h.operations.map((it) => it.outcome).join()];`;
  const { result, checks } = await run(source, (request) => ((asked = request), { verdict: "holds", text: "" }));
  assert.deepEqual([...result], ["done", undefined, "lost", 3, "ok,failed,unknown"]);
  assert.deepEqual(asked, {
    moments: [
      [0, 0, "invoke", "write", "x", { n: 1 }], [0, 0, "ok", "done"],
      [0, 1, "invoke", "write", null, 2], [0, 1, "failed"],
      [0, 2, "invoke", "read", null, null], [0, 2, "unknown"],
    ],
    judge: "linearizable", model: "register", initial: 7,
  });
  assert.deepEqual(checks.map((it) => [it.kind, it.holds, it.message]), [
    [1, true, "the history is linearizable (register): decided"],
    [0, true, "the history is linearizable (register)"],
  ]);
});

test("a process asks one thing at a time, and only what is JSON", async () => {
  const message = async (source) => {
    const { result } = await run(`const h = history(); try { ${source} } catch (error) { return error.message }`);
    return result;
  };
  assert.match(await message(`h.invoke(0, { f: "read" }); h.invoke(0, { f: "read" })`), /process of its own/);
  assert.match(await message(`h.ok(0, 1)`), /no operation under way/);
  assert.match(await message(`h.invoke("a", { f: "read" })`), /whole number/);
  assert.match(await message(`h.invoke(0, { f: "write", value: 1n })`), /must be JSON/);
  assert.match(await message(`linearizable({}, "register")`), /must be a history/);
  assert.match(await message(`linearizable(h, 7)`), /an object with init and step/);
});

test("a verdict that was not reached is no success", async () => {
  const { result, checks } = await run(`return serializable(history())`, () => ({ verdict: "unknown", text: "too long" }));
  assert.equal(result, "unknown");
  assert.deepEqual(checks.map((it) => [it.kind, it.holds, it.message]), [[1, false, "the transactions are serializable: decided"]]);
  await assert.rejects(run(`serializable(history())`, () => ({ verdict: "mistake", text: "no list" })), /no list/);
});

test("a model of one's own finds an order where there is one", async () => {
  const source = `${CELL}
    const h = history();
    h.invoke(0, { f: "put", key: "x", value: 1 });
    h.invoke(1, { f: "put", key: "x", value: 2 });
    h.invoke(2, { f: "get", key: "x" }); h.ok(2, 2);
    h.invoke(2, { f: "get", key: "x" }); h.ok(2, 1);
    h.ok(0); h.ok(1);
    h.invoke(3, { f: "put", key: "x", value: 3 }); h.unknown(3);
    h.invoke(2, { f: "get", key: "x" }); h.ok(2, 1);
    h.invoke(2, { f: "get", key: "x" }); h.ok(2, 3);
    h.invoke(2, { f: "get", key: "y" }); h.ok(2, 0);
    return linearizable(h, cell);`;
  assert.equal((await run(source)).result, "holds");
});

test("a model of one's own shows a small history that has no order", async () => {
  const source = `${CELL}
    const h = history();
    h.invoke(0, { f: "put", value: 1 }); h.ok(0);
    h.invoke(1, { f: "get" }); h.ok(1, 1);
    h.invoke(0, { f: "put", value: 2 }); h.ok(0);
    h.invoke(1, { f: "get" }); h.ok(1, 2);
    h.invoke(1, { f: "get" }); h.ok(1, 1);
    h.invoke(1, { f: "get" }); h.ok(1, 2);
    return linearizable(h, cell);`;
  let drawn;
  const { result, checks } = await run(source, (request) => ((drawn = request), { verdict: "broken", text: "  drawing\n" }));
  assert.equal(result, "broken");
  assert.deepEqual(drawn, {
    judge: "draw",
    bars: [[0, "put 1", 0, 1, false], [0, "put 2", 4, 5, false], [1, "get → 1", 8, 9, true]],
  });
  assert.deepEqual(checks.at(-1), {
    kind: 0,
    holds: false,
    message: "the history is linearizable (cell)",
    details: `key null: not linearizable as cell (3 of 6 operations suffice):

  drawing

  the longest order: put 1, put 2; then the state is 2,
  and ✗ get → 1 must have come by now and cannot`,
  });
});

test("a model of one's own gives up at its limit", async () => {
  const source = `${CELL}
    const h = history();
    for (let i = 0; i < 12; i++) h.invoke(i, { f: "put", value: i });
    for (let i = 0; i < 12; i++) h.ok(i);
    h.invoke(0, { f: "get" }); h.ok(0, 99);
    return linearizable(h, cell, { steps: 500 });`;
  assert.equal((await run(source)).result, "unknown");
});

test("a system converges within its time, or what was seen last is told", async () => {
  const good = await run(`let n = 0; return converges(() => ++n > 3, { within: 1000, every: 100 })`);
  assert.equal(good.result, true);
  assert.equal(good.cluster.now, 300);
  const bad = await run(`return converges(async () => 0, { within: 1000, every: 300, message: "calm" })`);
  assert.equal(bad.result, false);
  assert.deepEqual(bad.checks, [{ kind: 0, holds: false, message: "calm", details: "not after 1000 ms; the last look, after 1200 ms, saw: 0" }]);
});
