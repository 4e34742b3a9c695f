// Who leads, and what leaders write.

import { DurableObject } from "cloudflare:workers";

/** How long a lease lasts, in milliseconds. */
const TERM = 1000;

export interface Grant {
  holder: string;
  /** Counts the leases: a later one has a higher number. */
  epoch: number;
  until: number;
}

export class Lease extends DurableObject {
  /** The lease, for whoever asks if it is free or over, else as it is. */
  async acquire(holder: string): Promise<Grant> {
    const now = Date.now();
    const held = await this.ctx.storage.get<Grant>("grant");
    if (held !== undefined && held.until > now) return held;
    const grant = { holder, epoch: (held?.epoch ?? 0) + 1, until: now + TERM };
    await this.ctx.storage.put("grant", grant);
    return grant;
  }
}

export class Register extends DurableObject {
  /** Writes. Here it is: who writes has to be believed. */
  async write(epoch: number, value: string): Promise<boolean> {
    const order = (await this.ctx.storage.get<number[]>("order")) ?? [];
    if (order.at(-1) !== epoch) order.push(epoch);
    await this.ctx.storage.put({ epoch, value, order });
    return true;
  }

  /** The numbers of the leases under which was written, in the order of the writes. */
  async order(): Promise<number[]> {
    return (await this.ctx.storage.get<number[]>("order")) ?? [];
  }
}

export default {};
