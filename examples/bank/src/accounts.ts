// Holds the balances, and carries out each order once, however often it is asked to.

import { always, sometimes } from "dacapo:sim";
import type { Order, Outcome } from "./order.ts";

const balances = new Map<string, number>();
// What came of each order, by its idempotency key.
const outcomes = new Map<string, Outcome>();

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === "GET") return Response.json(Object.fromEntries(balances));
    const key = request.headers.get("idempotency-key");
    if (key === null) return new Response("an order needs an idempotency key\n", { status: 400 });
    const order: Order = await request.json();

    // From here on nothing is awaited, so no other request comes in between.
    const known = outcomes.get(key);
    sometimes(known !== undefined, "an order comes a second time");
    if (known !== undefined) return Response.json(known);
    const outcome = carryOut(order);
    outcomes.set(key, outcome);
    return Response.json(outcome);
  },
};

function carryOut(order: Order): Outcome {
  if (order.kind === "transfer") {
    const left = balanceOf(order.from) - order.amount;
    if (left < 0) return { status: "refused", reason: `${order.from} has not enough` };
    balances.set(order.from, left);
  }
  balances.set(order.to, balanceOf(order.to) + order.amount);
  always(balanceOf(order.to) > 0, "an account that was given money has some");
  return { status: "done" };
}

const balanceOf = (name: string) => balances.get(name) ?? 0;
