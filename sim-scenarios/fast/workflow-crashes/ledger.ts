// Remembers what steps have done, and how often.

import { DurableObject } from "cloudflare:workers";

export class Ledger extends DurableObject {
  note(what: string): number {
    const count = (this.ctx.storage.kv.get<number>(what) ?? 0) + 1;
    this.ctx.storage.kv.put(what, count);
    return count;
  }
  notes(): Record<string, number> {
    return Object.fromEntries(this.ctx.storage.kv.list<number>());
  }
}

export default { fetch: () => new Response("ledger") };
