// Keeps the orders and brings each to its end: paid and shipped, or declined.

import { always, reachable, sometimes } from "dacapo:sim";
import { Hono } from "hono";

import type { Order } from "./order.ts";
import { patiently } from "./patiently.ts";

interface Bindings {
  WAREHOUSE: { fetch(url: string, init?: RequestInit): Promise<Response> };
  PAY_URL: string;
}

const orders = new Map<string, Order>();
// Orders that are being worked on, so that nobody else begins with them.
const underWay = new Set<string>();

const app = new Hono<{ Bindings: Bindings }>();

app.put("/orders/:id", async (c) => {
  const order: Order = { ...(await c.req.json()), state: "placed" };
  const known = orders.get(order.id);
  if (known !== undefined && known.card !== order.card) return c.json({ error: "this id is taken" }, 409);
  if (known === undefined) {
    orders.set(order.id, order);
    // The customer need not wait for the payment provider.
    c.executionCtx.waitUntil(proceed(order, c.env));
  }
  return c.json(view(known ?? order), 202);
});

app.get("/orders/:id", (c) => {
  const order = orders.get(c.req.param("id"));
  return order === undefined ? c.json({ error: "there is no such order" }, 404) : c.json(view(order));
});

const view = ({ id, cents, state }: Order) => ({ id, cents, state });

/** Brings an order to its end. What fails stays where it is, and `scheduled` takes it up again. */
async function proceed(order: Order, env: Bindings): Promise<void> {
  if (underWay.has(order.id)) return;
  underWay.add(order.id);
  try {
    if (order.state === "placed") order.state = await pay(order, env);
    if (order.state === "paid") {
      await ship(order, env);
      order.state = "shipped";
    }
  } catch (error) {
    reachable("an order has to be taken up again later");
    console.warn(`order ${order.id} stays ${order.state}:`, String(error));
  } finally {
    underWay.delete(order.id);
  }
}

/** The provider takes money once for each idempotency key, however often it is asked. */
async function pay({ id, cents, card }: Order, env: Bindings): Promise<"paid" | "declined"> {
  return patiently({ tries: 5, timeoutMs: 1_500 }, async (signal, count) => {
    const answer = await fetch(`${env.PAY_URL}/v1/charges`, {
      method: "POST",
      headers: { "idempotency-key": id, "content-type": "application/json" },
      body: JSON.stringify({ reference: id, cents, card }),
      signal,
    });
    if (answer.status >= 500) throw new Error(`the payment provider answered ${answer.status}`);
    const charge = await answer.json();
    sometimes(count > 1, "a payment needs more than one try");
    if (charge.state === "succeeded") always(charge.cents === cents, "the provider takes what the order costs");
    return charge.state === "succeeded" ? "paid" : "declined";
  });
}

async function ship({ id, product, quantity }: Order, env: Bindings): Promise<void> {
  await patiently({ tries: 5, timeoutMs: 1_000 }, async (signal) => {
    const body = JSON.stringify({ product, quantity });
    const url = `https://warehouse.internal/shipments/${id}`;
    const answer = await env.WAREHOUSE.fetch(url, { method: "PUT", body, signal });
    if (!answer.ok) throw new Error(`the warehouse answered ${answer.status}`);
    await answer.text();
  });
}

export default {
  fetch: app.fetch,

  async scheduled(_: unknown, env: Bindings) {
    const open = [...orders.values()].filter(({ state }) => state === "placed" || state === "paid");
    await Promise.all(open.map((order) => proceed(order, env)));
  },
};
