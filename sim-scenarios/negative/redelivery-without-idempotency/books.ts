import { DurableObject } from "cloudflare:workers";

interface Env {
  ACCOUNTS: DurableObjectNamespace<Account>;
}

export class Account extends DurableObject<Env> {
  async book(amount: number): Promise<void> {
    await this.ctx.storage.put("balance", (await this.balance()) + amount);
  }

  async balance(): Promise<number> {
    return (await this.ctx.storage.get<number>("balance")) ?? 0;
  }
}

export default {
  async fetch(_: Request, env: Env): Promise<Response> {
    return Response.json(await env.ACCOUNTS.getByName("shop").balance());
  },

  async queue(batch: MessageBatch<{ amount: number }>, env: Env): Promise<void> {
    for (const message of batch.messages) {
      // Here it is: `message.id` says whether it was booked before, and nobody asks.
      await env.ACCOUNTS.getByName("shop").book(message.body.amount);
    }
  },
};
