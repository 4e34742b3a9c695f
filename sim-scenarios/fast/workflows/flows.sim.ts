// Asks workflows for everything that they promise.

import { always, driver, equal, sleep } from "dacapo:sim";

let count = 0;
const flows = (env: any) => env["flows.Flow"];
const begin = (env: any, what: string) => flows(env).create({ id: `${what}-${++count}`, params: { what } });
const failure = (promise: Promise<unknown>) => promise.then((value) => ({ message: `it gave ${value}` }), (error) => error);

async function ended(instance: any, patience = 60_000) {
  for (let waited = 0; waited < patience; waited += 250) {
    const status = await instance.status();
    if (["complete", "errored", "terminated"].includes(status.status)) return status;
    await sleep(250);
  }
  return await instance.status();
}
const output = async (instance: any, patience?: number) => {
  const { status, output, error } = await ended(instance, patience);
  equal([status, error], ["complete", undefined], "the workflow completes");
  return output;
};

async function steps(env: any) {
  const instance = await begin(env, "steps");
  const { id, ...values } = await output(instance);
  equal(id, instance.id, "a workflow knows its id");
  equal(
    values,
    { one: { n: 7, at: new Date(5), bytes: new Uint8Array([1, 2]) }, two: "a", three: "b", x: { name: "x", count: 1 }, y: 1, nothing: undefined },
    "steps give what they recorded",
  );
}

async function retries(env: any) {
  const { attempts, times, ...told } = await output(await begin(env, "retries"), 600_000);
  equal(
    told,
    {
      told: "RangeError: attempt 4 true",
      linear: "RangeError: attempt 3 true",
      computed: "RangeError: attempt 2 true",
      never: "NonRetryableError: stop",
      slow: 'step.do("slow"): attempt 2 took more than 500 ms',
      second: 2,
    },
    "a step is tried again as often as it says",
  );
  // Between the attempts the workflow may have left memory, and what it has not recorded with it.
  equal([attempts.slice(-2), times.length], [[1, 2], attempts.length], "attempts are counted");
}

async function events(env: any) {
  const instance = await begin(env, "events");
  await instance.sendEvent({ type: "other", payload: "early" });
  await instance.sendEvent({ type: "go", payload: new Map([[1, 2]]) });
  await sleep(3000);
  equal((await instance.status()).status, "waiting", "a workflow that waits for an event waits");
  await instance.sendEvent({ type: "go", payload: 2 });
  equal(await output(instance), [new Map([[1, 2]]), true, "go", 2, "early", "WorkflowTimeoutError"], "events come in their order, early ones too");
  const late = await failure(instance.sendEvent({ type: "go" }));
  always(late.message.includes("it is complete"), "an instance that has ended takes no events", late);
}

async function controls(env: any) {
  const instance = await begin(env, "controls");
  await sleep(500);
  await instance.pause();
  await instance.pause();
  equal((await instance.status()).status, "paused", "an instance can be paused");
  await instance.sendEvent({ type: "next" });
  await sleep(5000);
  equal((await instance.status()).status, "paused", "it stays so, whatever comes");
  await instance.resume();
  await sleep(100);
  equal((await instance.status()).status, "waiting", "and goes on");
  await instance.restart();
  await sleep(100);
  for (let round = 0; round < 3; round++) await instance.sendEvent({ type: "next" });
  equal(await output(instance), "done", "an instance can begin anew");
  equal((await failure(instance.pause())).message, `workflow instance "${instance.id}": it cannot be paused, it is complete`, "one that has ended cannot be paused");
  await instance.restart();
  await sleep(100);
  await instance.terminate();
  equal((await instance.status()).status, "terminated", "an instance can be ended");
  await sleep(3000);
  const same = await flows(env).get(instance.id);
  always((await failure(same.resume())).message.includes("it is terminated"), "it does not go on then");
  always((await failure(same.terminate())).message.includes("it is terminated"), "and ends once");
}

async function asked(env: any) {
  const instance = await begin(env, "asked");
  equal(await instance.query("what"), [1, 0], "a query is answered where the workflow is");
  equal([await instance.update("add", 2), await instance.update("add", 3)], [2, 5], "an update changes it");
  equal((await failure(instance.update("add", -1))).name, "RangeError", "an update may refuse");
  equal(await instance.update("later"), "later", "and take its time");
  await sleep(3000);
  equal(await instance.query("what"), [1, 5], "updates are a part of the history");
  always((await failure(instance.query("later"))).message.includes("a query answers at once"), "a query does not wait");
  always((await failure(instance.query("run"))).message.includes('no method "run"'), "run is no query");
  always((await failure(instance.query("nothing"))).message.includes('no method "nothing"'), "a query is a method");
  await instance.sendEvent({ type: "enough" });
  equal(await output(instance), [1, 5], "updates count");
  await sleep(3000);
  equal(await instance.query("what"), [1, 5, 5], "what has ended can still be asked");
  always((await failure(instance.update("add", 1))).message.includes("it is complete"), "but not be changed");
}

async function wrong(env: any) {
  equal(
    await output(await begin(env, "wrong")),
    [
      "TypeError: step.do: a step needs a name, not ''",
      "RangeError: step.do: the name of a step has at most 256 characters, not 257",
      'TypeError: step.do("none"): the callback is missing',
      'TypeError: step.do("option"): there is no option "retry"',
      `TypeError: step.do("backoff"): retries.backoff must be "constant", "linear" or "exponential", not 'fast'`,
      `TypeError: step.sleep("s"): the duration must be milliseconds or a text as "30 seconds" or "5 days", not '3 fortnights'`,
      `RangeError: step.sleep("s"): the duration can be at most 365 days, not '400 days'`,
      `TypeError: step.waitForEvent("w"): the type of an event has 1 to 100 letters, digits, "_" and "-", and does not begin with "-"; 'a b' is none`,
      'RangeError: the result of step.do("big") has 1048589 bytes, and at most 1048576 can be recorded: store it elsewhere, and record where',
      "DataCloneError: #<WeakMap> could not be cloned.",
    ],
    "what is wrong is told",
  );
  const thrown = await ended(await begin(env, "throws"));
  equal([thrown.status, thrown.error], ["errored", { name: "TypeError", message: "no good" }], "what run() throws ends it");
  const many = await ended(await begin(env, "many"));
  equal(many.error?.message, 'a workflow has at most 1024 steps: "again" would be one more', "steps are bounded");
  const endless = await ended(await begin(env, "endless"), 600_000);
  always(endless.error?.message.includes("has ended its object again and again"), "code that cannot run is given up", endless);
  for (const name of ["Missing", "Plain"]) {
    const created = await env[`flows.${name}`].create().catch((error: Error) => error);
    const text = created instanceof Error ? created.message : (await ended(created)).error?.message;
    const expected = name === "Missing" ? "no export class Missing" : "does not extend WorkflowEntrypoint";
    always(text?.includes(expected), `a class that is none is told: ${name}`, text);
  }
}

async function ids(env: any) {
  const instance = await begin(env, "events");
  equal((await failure(flows(env).create({ id: instance.id }))).message, `(instance.already_exists) there is a workflow instance "${instance.id}" already: get("${instance.id}") gives it`, "an id is given once");
  always((await failure(flows(env).get("nobody"))).message.includes("(instance.not_found)"), "an instance that is not there is not found");
  always((await failure(flows(env).create({ id: "-a" }))).message.includes("does not begin with"), "ids have a form");
  always((await failure(flows(env).create({ params: () => {} }))).name === "DataCloneError", "params can be recorded");
  const batch = await flows(env).createBatch([{ id: instance.id }, { id: `${instance.id}-b`, params: { what: "steps" } }]);
  equal(batch.map((one: any) => one.id), [`${instance.id}-b`], "a batch leaves out what is there");
  always((await flows(env).create({ params: { what: "steps" } })).id.length === 36, "an instance without an id gets one");
}

// An instance that begins with one release and goes on with another.
async function deployed(env: any, before: string, after: string) {
  const id = `released-${++count}`;
  const release = env["flows.Switch"].getByName(id);
  await release.set(before);
  const instance = await flows(env).create({ id, params: { what: "released" } });
  await sleep(4000);
  await release.set(after);
  await instance.sendEvent({ type: "go" });
  return { instance, release, status: await ended(instance) };
}

async function releases(env: any) {
  equal((await deployed(env, "old", "old")).status.output, null, "an instance goes on with the code that it began with");
  equal((await deployed(env, "patched", "patched")).status.output, true, "a new instance has the patch");
  equal((await deployed(env, "old", "patched")).status.output, false, "one that has passed without it does not");
  equal((await deployed(env, "patched", "wrong")).status.output, null, "a patch that is no longer asked for is there for ever");
  const expected: Record<string, [string, string]> = {
    wrong: ['entry 2: step.do("a") at flows.ts', 'code: step.do("more") at flows.ts'],
    shorter: ['entry 2: step.do("a") at flows.ts', "code: run() returned"],
    hanging: ['entry 2: step.do("a") at flows.ts', "code: it waits for something that is no step"],
  };
  for (const [after, sides] of Object.entries(expected)) {
    const { instance, release, status } = await deployed(env, "old", after);
    equal([status.status, status.error?.name], ["errored", "WorkflowMismatchError"], "code that does not fit a history is stopped");
    for (const side of sides) always(status.error.message.includes(side), "and both sides are told", status.error.message);
    always((await failure(instance.query("what"))).message.includes("does not fit the history"), "it cannot be asked then");
    await release.set("old");
    await instance.resume();
    equal((await ended(instance)).output, null, "with the right code it goes on");
  }
}

const rarely = { pause: 1000 };
export const drivers = {
  steps: driver(steps, rarely),
  retries: driver(retries, rarely),
  events: driver(events, rarely),
  controls: driver(controls, rarely),
  asked: driver(asked, rarely),
  ids: driver(ids, rarely),
  releases: driver(releases, rarely),
};

export const judgments = {

  "what is wrong is told": wrong,
};
