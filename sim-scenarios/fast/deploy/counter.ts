// The version that is there: counts, each key once.

import { DurableObject } from "cloudflare:workers";

export const VERSION = 1;

interface Env {
  COUNTERS: DurableObjectNamespace<Counter>;
}

export class Counter extends DurableObject<Env> {
  version(): number {
    return VERSION;
  }

  async count(key: string): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if ((await this.ctx.storage.get(`key:${key}`)) === undefined) {
      await this.ctx.storage.put({ [`key:${key}`]: true, value: (await this.value()) + 1 });
    }
    return this.value();
  }

  async value(): Promise<number> {
    return (await this.ctx.storage.get<number>("value")) ?? 0;
  }
}

export const serve = async (request: Request, env: Env, service: number): Promise<Response> => {
  const counter = env.COUNTERS.getByName("the one");
  try {
    const value = request.method === "POST" ? await counter.count(await request.text()) : await counter.value();
    return Response.json({ value, service, object: await counter.version() });
  } catch (error: any) {
    return Response.json({ message: error.message, reset: error.durableObjectReset === true }, { status: 503 });
  }
};

export default {
  fetch: (request: Request, env: Env) => serve(request, env, VERSION),
};
