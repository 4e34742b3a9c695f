// A counter for each name. POST counts, GET tells.

import { DurableObject } from "cloudflare:workers";
import { sometimes } from "dacapo:sim";

interface Env {
  COUNTERS: DurableObjectNamespace<Counter>;
  STEPS: Fetcher;
}

export class Counter extends DurableObject<Env> {
  /** Counts once for each key, however often it is asked to. */
  async count(key: string): Promise<number> {
    const before = await this.ctx.storage.get<number>(`done/${key}`);
    if (before !== undefined) return before;
    // Whoever waits lets others in. So first ask, then read and write without a pause between.
    const answer = await this.env.STEPS.fetch("https://steps.internal/", { signal: AbortSignal.timeout(1000) });
    const step = Number(await answer.text());
    const meanwhile = await this.ctx.storage.get<number>(`done/${key}`);
    if (meanwhile !== undefined) return meanwhile;
    const value = ((await this.ctx.storage.get<number>("value")) ?? 0) + step;
    await this.ctx.storage.put({ value, [`done/${key}`]: value });
    return value;
  }

  async value(): Promise<number> {
    return (await this.ctx.storage.get<number>("value")) ?? 0;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const counter = env.COUNTERS.getByName(url.pathname.slice(1));
    try {
      if (request.method !== "POST") return Response.json(await counter.value());
      const key = request.headers.get("idempotency-key");
      if (key === null) return new Response("an idempotency-key is required\n", { status: 400 });
      return Response.json(await counter.count(key));
    } catch (error) {
      sometimes(error.durableObjectReset === true, "an object goes back to what the disk has");
      return new Response(`${error}\n`, { status: 503 });
    }
  },
};
