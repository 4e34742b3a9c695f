// Takes messages, and does with each what it says. What it has seen it tells a ledger.

import { DurableObject } from "cloudflare:workers";
import { sometimes } from "dacapo:sim";

interface Env {
  LEDGER: DurableObjectNamespace<Ledger>;
}

interface Job {
  id: string;
  // "loop" never ends, "fail" throws, "retry" retries this one, "never" always retries, "throw after ack" does what it says.
  then?: string;
}

export interface Seen {
  queue: string;
  job: string;
  attempts: number;
  size: number;
  at: number;
  sent: number;
}

export class Ledger extends DurableObject<Env> {
  // A job is done once, however often it comes: the ledger knows those that it has seen.
  async enter(lines: Seen[]): Promise<string[]> {
    const fresh: string[] = [];
    for (const line of lines) {
      const key = `done:${line.queue}:${line.job}`;
      if ((await this.ctx.storage.get(key)) === undefined) fresh.push(line.job);
      await this.ctx.storage.put(key, true);
      const count = (await this.ctx.storage.get<number>("count")) ?? 0;
      await this.ctx.storage.put({ count: count + 1, [`line:${String(count).padStart(6, "0")}`]: line });
    }
    return fresh;
  }

  async lines(): Promise<Seen[]> {
    return [...(await this.ctx.storage.list<Seen>({ prefix: "line:" })).values()];
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname === "/lines") return Response.json(await env.LEDGER.getByName("ledger").lines());
    const fields = ["dacapo-event", "dacapo-take"].filter((name) => request.headers.has(name));
    return Response.json({ body: await request.text(), fields });
  },

  async queue(batch: MessageBatch<Job>, env: Env): Promise<void> {
    const line = (message: Message<Job>) => ({
      queue: batch.queue,
      job: message.body.id,
      attempts: message.attempts,
      size: batch.messages.length,
      at: Date.now(),
      sent: message.timestamp.getTime(),
    });
    const fresh = await env.LEDGER.getByName("ledger").enter(batch.messages.map(line));
    sometimes(fresh.length < batch.messages.length, "a message comes that was handled before");
    if (batch.queue !== "dead" && batch.messages.some((message) => message.body.then === "loop")) for (;;);
    for (const message of batch.messages) {
      if (message.body.then === "retry" && message.attempts === 1) message.retry({ delaySeconds: 7 });
      if (message.body.then === "never") message.retry();
      if (message.body.then === "throw after ack") message.ack();
    }
    if (batch.queue !== "dead" && batch.messages.some((message) => message.body.then?.includes("fail"))) throw new Error("as it was told");
    if (batch.messages.some((message) => message.body.then === "throw after ack")) throw new Error("after the ack");
  },
};
