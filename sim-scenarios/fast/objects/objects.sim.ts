// Asks objects for everything that they promise.

import { always, driver, equal, random, sleep } from "dacapo:sim";

let count = 0;
const fresh = (env: any, name = `thing-${++count}`) => env["things.Thing"].getByName(name);
const failure = (promise: Promise<unknown>) => promise.then((value) => ({ value }), (error) => error);

async function ids(env: any) {
  const things = env["things.Thing"];
  const id = things.idFromName("a");
  equal(id.toString(), things.idFromName("a").toString(), "a name always has the same id");
  always(id.equals(things.idFromString(id.toString())) && id.name === "a", "an id is known by its text");
  always(!things.newUniqueId().equals(things.newUniqueId()), "unique ids differ");
  const foreign = env["things.Plain"].idFromName("a").toString();
  equal((await failure((async () => things.idFromString(foreign))())).name, "TypeError", "an id of elsewhere is refused");
  const unique = things.newUniqueId();
  equal(await things.get(unique).who(), [unique.toString(), true], "an object knows its id, and is set up");
}

async function calls(env: any) {
  const thing = fresh(env);
  const value = [new Map([[1, new Set(["x"])]]), new Date(7), 5n, new Uint8Array([1, 2]), undefined, { a: [null, -0] }];
  equal(await thing.echo(...value), value, "values travel as they are");
  const cycle: any = {};
  cycle.self = cycle;
  const [back] = await thing.echo(cycle);
  always(back.self === back, "cycles travel");
  const range = await failure(thing.fail("range"));
  always(range instanceof RangeError && range.message === "too far", "an error keeps its class and message", range);
  equal((await failure(thing.fail("own"))).name, "OwnError", "an error keeps a name of its own");
  equal((await failure(thing.fail("dom"))).name, "AbortError", "a DOMException travels");
  equal((await failure(thing.fail("value"))).message, "{ some: 'value' }", "what is thrown without being an error arrives as one");
  equal((await failure(thing.fail("function"))).name, "DataCloneError", "a function does not");
  equal((await failure(thing.echo(() => {}))).name, "DataCloneError", "nor as an argument");
  equal((await failure(thing.echo(() => 1))).message, "a function could not be cloned.");
  for (const name of ["nothing", "ready", "alarm"]) {
    const { message } = await failure(thing[name]());
    equal(message, `The RPC receiver does not implement the method "${name}".`, "only methods of the class can be called");
  }
  const answer = await thing.fetch("https://thing.internal/path", { method: "PUT", body: "body", headers: { "dacapo-rpc": "echo" } });
  equal([answer.status, await answer.text()], [201, "PUT /path body true"], "an object can be fetched");
  const plain = env["things.Plain"].getByName("a");
  equal(await (await plain.fetch("https://x.internal/")).text(), "plain", "so can one that is no DurableObject");
  always((await failure(plain.method())).message.includes("does not extend DurableObject"), "but it has no methods");
  const missing = await failure(env["things.Missing"].getByName("a").method());
  always(missing.message.includes("no export class Missing"), "a class that is not exported is told", missing);
}

async function storage(env: any) {
  const thing = fresh(env);
  equal(
    await thing.keys(),
    {
      some: ["a/1", "b"],
      map: 5,
      list: ["a/2", "a/1"],
      limit: ["a/2"],
      deleted: [true, false, 2],
      undefined: undefined,
      refused: "DataCloneError",
      many: "at most 128 keys at once, not 129",
      kv: [undefined, 7, [["c", { deep: { own: 0 } }], ["k", 7]], true],
      left: 0,
    },
    "keys and values",
  );
  equal(
    await thing.sql(),
    {
      returned: [{ id: 1 }, { id: 2 }, { id: 3 }],
      written: 3,
      all: [{ name: null, twice: 6 }, { name: "b", twice: 4 }, { name: "a", twice: 2 }],
      raw: [[1, "a"], [2, "b"]],
      columns: ["x", "y"],
      one: { n: 3 },
      next: { done: false, value: { five: 5 } },
      blob: [1, 2],
      none: "Expected exactly one result from SQL query, but got no results.",
      syntax: "no such table: nowhere: SQLITE_ERROR",
      unique: "UNIQUE constraint failed: t.name: SQLITE_CONSTRAINT",
      begin: "To execute a transaction, please",
      hidden: true,
      still: { n: 3 },
      size: true,
    },
    "SQL",
  );
  equal(
    await thing.transactions(),
    {
      thrown: "no",
      after: 1,
      rolledBack: 1,
      done: "done",
      committed: 4,
      sync: ["no", 4],
      syncDone: 6,
    },
    "transactions",
  );
}

async function alarms(env: any) {
  const thing = fresh(env);
  const before = Date.now();
  const at = await thing.setAlarm(1000);
  always(at >= before + 1000, "an alarm is set", at);
  await thing.setAlarm(500);
  // Twice in vain, after 2 and 4 seconds, then well.
  await sleep(9000);
  const rings = [[false, 0, null], [true, 1, null], [true, 2, null]];
  equal(await thing.getRings(), [rings, null], "an alarm rings until its handler succeeds");
  always((await failure(thing.setAlarm(1e18))).message.includes("after the year 2262"), "an alarm has a time that the disk can keep");
  await thing.setAlarm(100);
  equal(await thing.deleteAlarm(), null, "an alarm can be removed");
  await sleep(500);
  equal(await thing.getRings(), [[], null], "then it does not ring");
  // Twice as long as an idle object stays in memory: the alarm wakes another one, to whom nobody has said its name.
  const sleeper = fresh(env, "sleeper");
  await sleeper.remember();
  await sleeper.setAlarm(4000);
  await sleep(15_000);
  equal([await sleeper.whoRang(), await sleeper.remember()], ["sleeper", 1], "whom an alarm wakes knows its name");
}

async function ends(env: any) {
  const thing = fresh(env);
  equal([await thing.remember(), await thing.remember()], [1, 2], "an object has one memory");
  const error = await failure(thing.giveUp());
  always(error.durableObjectReset === true && error.message.includes("aborted"), "who gives up ends", error);
  equal(await thing.whatIsLeft(), [true, undefined], "what was durable is left, and nothing else");
  equal(await thing.remember(), 1, "and its memory is new");
  await thing.later();
  await sleep(100);
  equal(await thing.later(), true, "work goes on after the answer");
  await sleep(5000);
  equal(await thing.remember(), 1, "an object that is idle leaves memory");
  equal(await thing.whatIsLeft(), [true, undefined], "and comes back with what it has stored");
}

async function rights() {
  const name = `far-${random.int(1, 3)}`;
  const answer = await (await fetch(`https://guest.example/${name}`)).json();
  equal([answer.bindings, answer.echo, answer.name], [["THINGS"], [name], name], "a right to a class is a binding");
  const bytes = "x".repeat(300_000);
  const through = await fetch(`https://guest.example/${name}`, { method: "POST", body: bytes });
  equal(await through.text(), `POST /through ${bytes} true`, "bodies stream through to an object");
}

export const drivers = {
  ids: driver(ids, { pause: 1000 }),
  calls: driver(calls, { pause: 1000 }),
  storage: driver(storage, { pause: 1000 }),
  alarms: driver(alarms, { pause: 1000 }),
  ends: driver(ends, { pause: 1000 }),
  rights: driver(rights, { pause: 1000 }),
};
