// Counts durably: /NAME counts the object of that name, on Dacapo and on workerd.
import { DurableObject } from "cloudflare:workers";

export class Counter extends DurableObject {
  async fetch() {
    const value = ((await this.ctx.storage.get("value")) ?? 0) + 1;
    await this.ctx.storage.put("value", value);
    return new Response(`${value}`);
  }
}

export default {
  fetch(request, env) {
    return env.COUNTERS.get(env.COUNTERS.idFromName(new URL(request.url).pathname)).fetch(request);
  },
};
