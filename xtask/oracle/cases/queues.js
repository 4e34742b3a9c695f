// Queues: what is sent, and how it comes. (Beside miniflare, which simulates them on workerd: workerd alone has none.)
import { DurableObject } from "cloudflare:workers";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// What consumers saw, by the name of the case.
export class Journal extends DurableObject {
  lines = [];
  add(line) { this.lines.push(line); }
  read() { return this.lines; }
}

export async function consume(batch, env) {
  for (const message of batch.messages) {
    const { about, body } = message.body?.about === undefined ? { about: "plain", body: message.body } : message.body;
    const journal = env.JOURNALS.getByName(about);
    await journal.add([batch.queue.replace(/^oracle-?/, ""), body, message.attempts, typeof message.id, message.timestamp instanceof Date]);
    if (body?.retries >= message.attempts) message.retry();
    if (body?.dies && batch.queue === "oracle") message.retry();
    if (body?.both) { message.ack(); message.retry(); }
    if (body?.throws && message.attempts === 1) throw new Error("on purpose");
  }
}

async function seen(env, about, count) {
  for (let tries = 0; tries < 100; tries++) {
    const lines = await env.JOURNALS.getByName(about).read();
    if (lines.length >= count) break;
    await wait(100);
  }
  await wait(300);
  return env.JOURNALS.getByName(about).read();
}

export const outside = {
  async "a message is what was sent"({ env, log }) {
    const about = "sent";
    await env.QUEUE.send({ about, body: { deep: [1, "é", null], when: new Date(5), map: new Map([[1, 2]]) } }, { contentType: "v8" });
    log(await seen(env, about, 1));
  },
  async "JSON, text and bytes"({ env, log }) {
    await env.QUEUE.send("just text", { contentType: "text" });
    await env.QUEUE.send(new Uint8Array([1, 2]), { contentType: "bytes" });
    await env.QUEUE.send({ some: ["json", 1.5] }, { contentType: "json" });
    log((await seen(env, "plain", 3)).map(([, body]) => body).sort((a, b) => `${typeof a}${a}`.localeCompare(`${typeof b}${b}`)));
  },
  async "many at once, in their order"({ env, log }) {
    const about = "many";
    await env.QUEUE.sendBatch([1, 2, 3, 4].map((n) => ({ body: { about, body: n } })));
    log((await seen(env, about, 4)).map(([, body]) => body));
  },
  async "what is retried comes again"({ env, log }) {
    const about = "retried";
    await env.QUEUE.send({ about, body: { retries: 1 } });
    log(await seen(env, about, 2));
  },
  async "a handler that throws retries what it did not acknowledge"({ env, log }) {
    const about = "thrown";
    await env.QUEUE.send({ about, body: { throws: true } });
    log(await seen(env, about, 2));
  },
  async "what is said of a message first counts"({ env, log }) {
    const about = "both";
    await env.QUEUE.send({ about, body: { both: true } });
    log((await seen(env, about, 1)).length);
  },
  async "what fails too often goes to the dead letters"({ env, log }) {
    const about = "dead";
    await env.QUEUE.send({ about, body: { dies: true } });
    log(await seen(env, about, 4));
  },
  async "mistakes"({ env, tries }) {
    const refuses = (what, run) => tries(what, async () => void (await run()));
    await refuses("nothing", () => env.QUEUE.send());
    await refuses("a function", () => env.QUEUE.send(() => {}, { contentType: "v8" }));
    await refuses("no text", () => env.QUEUE.send(1, { contentType: "text" }));
    await refuses("no bytes", () => env.QUEUE.send("a", { contentType: "bytes" }));
    await refuses("no such type", () => env.QUEUE.send("a", { contentType: "xml" }));
    await refuses("too large", () => env.QUEUE.send("x".repeat(130_000), { contentType: "text" }));
    await refuses("too many", () => env.QUEUE.sendBatch(Array.from({ length: 101 }, () => ({ body: 1 }))));
    await refuses("too much", () => env.QUEUE.sendBatch(Array.from({ length: 3 }, () => ({ body: "x".repeat(100_000), contentType: "text" }))));
    await refuses("too late", () => env.QUEUE.send({ about: "mistakes", body: 1 }, { delaySeconds: 43_201 }));
    await refuses("too early", () => env.QUEUE.send({ about: "mistakes", body: 1 }, { delaySeconds: -1 }));
  },
};
