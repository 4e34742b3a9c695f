// An object that counts.

import { DurableObject } from "cloudflare:workers";

export class Cold extends DurableObject {
  async count(): Promise<number> {
    const value = ((await this.ctx.storage.get<number>("value")) ?? 0) + 1;
    await this.ctx.storage.put("value", value);
    return value;
  }
}

export default { fetch: () => new Response("cold") };
