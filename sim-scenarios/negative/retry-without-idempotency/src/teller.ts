// The counter of the bank: checks an order, has it carried out, has it written down, and only then says so.

import { ask } from "./ask.ts";
import { mistakeIn, type Order, type Outcome } from "./order.ts";

interface Service {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

interface Env {
  ACCOUNTS: Service;
  JOURNAL: Service;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    try {
      if (request.method === "GET" && pathname === "/balances") {
        return Response.json(await ask(env.ACCOUNTS, "https://accounts.internal/balances", {}));
      }
      if (request.method === "POST" && pathname === "/orders") return await take(request, env);
    } catch (error) {
      // Whether the order was carried out is not known here. The customer may ask again with the same key.
      console.warn("no answer from inside:", String(error));
      return new Response("please ask again, with the same idempotency-key\n", { status: 503 });
    }
    return new Response("POST /orders or GET /balances\n", { status: 404 });
  },
};

async function take(request: Request, env: Env): Promise<Response> {
  const key = request.headers.get("idempotency-key");
  if (key === null) return new Response("an order needs the header idempotency-key\n", { status: 400 });
  const order: Order = await request.json().catch(() => null);
  const mistake = mistakeIn(order);
  if (mistake !== null) return new Response(`${mistake}\n`, { status: 400 });

  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(order);
  const orders = "https://accounts.internal/orders";
  // The planted bug: this is tried several times, and nothing says that it is the same order.
  const outcome = await ask<Outcome>(env.ACCOUNTS, orders, { method: "POST", headers, body });
  if (outcome.status === "done") {
    // A PUT may be repeated by itself: the key is a part of its URL.
    const entry = `https://journal.internal/entries/${encodeURIComponent(key)}`;
    await ask(env.JOURNAL, entry, { method: "PUT", headers, body });
  }
  return Response.json(outcome);
}
