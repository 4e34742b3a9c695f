// Asks a queue for everything that it promises, where nothing fails.

import { always, equal, sleep } from "dacapo:sim";
import type { Seen } from "./worker.ts";

const post = (path: string, body: unknown, headers = {}) =>
  fetch(`https://sender.example${path}`, { method: "POST", body: JSON.stringify(body), headers });
const send = async (queue: string, body: unknown, options = {}) => {
  const answer = await post("/", { queue, body, options });
  equal(await answer.text(), "sent", "a message is taken");
};
const lines = async (job: string): Promise<Seen[]> =>
  ((await (await fetch("https://worker.example/lines")).json()) as Seen[]).filter((line) => line.job.startsWith(job));

// Nobody but the platform can say that a request is an event.
async function forged() {
  const plain = { body: "forged", fields: [] };
  equal(await (await post("/forge", {})).json(), plain, "a service binding cannot forge a batch");
  const headers = { "dacapo-event": "queue", "dacapo-take": "1", "Dacapo-RPC": "enter" };
  const outside = await fetch("https://worker.example/", { method: "POST", headers, body: "forged" });
  equal(await outside.json(), plain, "nor can who is outside");
}

async function batches() {
  await send("JOBS", { id: "one" });
  await sleep(900);
  equal(await lines("one"), [], "a batch that is not full waits for more");
  await sleep(400);
  const [one, ...more] = await lines("one");
  equal([one.queue, one.attempts, one.size, more], ["jobs", 1, 1, []], "and then goes out");
  always(one.sent <= one.at - 1000, "a message knows when it was sent", one);
  const five = [1, 2, 3, 4, 5].map((n) => ({ body: { id: `five-${n}` } }));
  await post("/", { queue: "JOBS", bodies: five });
  await sleep(300);
  equal((await lines("five")).map((line) => line.size), [4, 4, 4, 4], "a full batch goes out at once");
  await sleep(1200);
  equal((await lines("five")).map((line) => line.job), five.map(({ body }) => body.id), "in the order in which they came");
}

async function delays() {
  await send("SLOW", { id: "default" });
  await send("SLOW", { id: "mine" }, { delaySeconds: 5 });
  await sleep(4900);
  equal(await lines("mine"), [], "a delayed message waits");
  await sleep(300);
  equal((await lines("mine")).length, 1, "as long as its sender says");
  await sleep(24_000);
  equal(await lines("default"), [], "or else");
  await sleep(1500);
  equal((await lines("default")).length, 1, "as long as its queue says");
}

async function retries() {
  await send("JOBS", { id: "again", then: "retry" });
  await sleep(2000);
  equal((await lines("again")).map((line) => line.attempts), [1], "a message that is to be retried waits");
  await sleep(8000);
  equal((await lines("again")).map((line) => line.attempts), [1, 2], "as long as the handler says");
  await sleep(10_000);
  equal((await lines("again")).length, 2, "and is acknowledged by a handler that returns");

  await post("/", { queue: "JOBS", bodies: [{ body: { id: "bad", then: "fail" } }, { body: { id: "beside" } }] });
  await sleep(20_000);
  const bad = await lines("bad");
  equal(bad.map((line) => [line.queue, line.attempts]), [["jobs", 1], ["jobs", 2], ["jobs", 3], ["dead", 1]], "what fails too often is a dead letter");
  equal((await lines("beside")).length, 4, "a handler that throws retries all of the batch");

  await post("/", { queue: "JOBS", bodies: [{ body: { id: "acked", then: "throw after ack" } }, { body: { id: "unacked" } }] });
  await sleep(20_000);
  equal((await lines("acked")).length, 1, "but for what it has acknowledged");
  equal((await lines("unacked")).map((line) => line.attempts), [1, 2], "which the next try of the others shows");

  await send("JOBS", { id: "poison", then: "loop" });
  await sleep(20_000);
  const poison = await lines("poison");
  equal(poison.map((line) => [line.queue, line.attempts]), [["jobs", 1], ["jobs", 2], ["jobs", 3], ["dead", 1]], "what takes its consumer down is a dead letter, too");

  await send("SLOW", { id: "dropped", then: "never" }, { delaySeconds: 0 });
  await sleep(30_000);
  const dropped = await lines("dropped");
  equal(dropped.map((line) => line.attempts), [1, 2], "without a dead-letter queue it is dropped");
  always(dropped[1].at - dropped[0].at >= 10_000, "after the delay of the queue", dropped);
}

async function refused(env: any) {
  const jobs = env["queue.jobs"];
  const failure = (promise: Promise<unknown>) => promise.then(() => null, (error) => error.message);
  equal(await failure(jobs.send(undefined)), "send: a body is required", "nothing is no body");
  equal(await failure(jobs.sendBatch([])), "sendBatch() requires at least one message", "no message is no batch");
  equal(await failure(jobs.send("x".repeat(200_000))), "send: a message has at most 128000 bytes, and this one has 200006", "a long message is refused");
  equal(await failure(jobs.send({}, { delaySeconds: 50_000 })), "send: delaySeconds must be from 0 to 43200, not 50000", "so is a long delay");
  equal(await failure(jobs.send(1n, { contentType: "text" })), 'send: a body of contentType "text" must be a string', "a text is a string");
  always((await failure(jobs.send(() => {}))).includes("could not be cloned"), "a function cannot be sent");
  equal(await failure(env["queue.lost"].send({ id: "lost" })), null, "a queue whose consumer has no handler takes messages");
}

export async function setup(env: any) {
  await forged();
  await batches();
  await delays();
  await retries();
  await refused(env);
}
