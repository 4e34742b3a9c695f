import { DurableObject } from "cloudflare:workers";

interface Env {
  COUNTERS: DurableObjectNamespace<Counter>;
  STEPS: Fetcher;
}

export class Counter extends DurableObject<Env> {
  async count(): Promise<number> {
    const value = (await this.ctx.storage.get<number>("value")) ?? 0;
    const step = Number(await (await this.env.STEPS.fetch("https://steps.internal/")).text());
    // Here it is: `value` may be old by now.
    await this.ctx.storage.put("value", value + step);
    return value + step;
  }

  async value(): Promise<number> {
    return (await this.ctx.storage.get<number>("value")) ?? 0;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const counter = env.COUNTERS.getByName("the one");
    return Response.json(request.method === "POST" ? await counter.count() : await counter.value());
  },
};
