// A counter for each name. POST counts once for each key, GET tells.

import { DurableObject } from "cloudflare:workers";

interface Env {
  COUNTERS: DurableObjectNamespace<Counter>;
}

export class Counter extends DurableObject<Env> {
  async count(key: string): Promise<number> {
    const before = await this.ctx.storage.get<number>(`done/${key}`);
    if (before !== undefined) return before;
    const value = ((await this.ctx.storage.get<number>("value")) ?? 0) + 1;
    await this.ctx.storage.put({ value, [`done/${key}`]: value });
    return value;
  }

  async value(): Promise<number> {
    return (await this.ctx.storage.get<number>("value")) ?? 0;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const counter = env.COUNTERS.getByName(new URL(request.url).pathname.slice(1));
    try {
      if (request.method !== "POST") return Response.json(await counter.value());
      return Response.json(await counter.count(request.headers.get("idempotency-key")!));
    } catch (error) {
      return new Response(`${error}\n`, { status: 503 });
    }
  },
};
