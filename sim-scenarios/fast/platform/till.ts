// Books payments, once each.

import { DurableObject } from "cloudflare:workers";

interface Env {
  ACCOUNTS: DurableObjectNamespace<Account>;
}

export class Account extends DurableObject<Env> {
  #calls = 0;

  // `payment` is a key: who does not hear whether it was booked asks again with the same.
  async book(payment: string, amount: number): Promise<{ balance: number; calls: number }> {
    this.#calls++;
    await new Promise((resolve) => setTimeout(resolve, 5));
    if ((await this.ctx.storage.get(`payment:${payment}`)) === undefined) {
      await this.ctx.storage.put({ [`payment:${payment}`]: amount, balance: (await this.balance()) + amount });
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { balance: await this.balance(), calls: this.#calls };
  }

  async balance(): Promise<number> {
    return (await this.ctx.storage.get<number>("balance")) ?? 0;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const account = env.ACCOUNTS.getByName("shop");
    if (request.method !== "POST") return Response.json({ balance: await account.balance() });
    const { payment, amount } = (await request.json()) as { payment: string; amount: number };
    try {
      return Response.json(await account.book(payment, amount));
    } catch (error: any) {
      return Response.json({ message: error.message, reset: error.durableObjectReset === true }, { status: 503 });
    }
  },
};
