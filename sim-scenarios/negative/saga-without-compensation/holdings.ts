import { DurableObject } from "cloudflare:workers";

class Holdings extends DurableObject {
  hold(booking: string, amount: number): boolean {
    const { kv } = this.ctx.storage;
    if (kv.get(booking) !== undefined) return true;
    const held = [...kv.list<number>()].reduce((sum, [, amount]) => sum + amount, 0);
    if (held + amount > 100) return false;
    kv.put(booking, amount);
    return true;
  }

  holders(): string[] {
    return [...this.ctx.storage.kv.list()].map(([key]) => key);
  }
}

export class Flight extends Holdings {}
export class Wallet extends Holdings {}

export default { fetch: () => new Response("holdings") };
