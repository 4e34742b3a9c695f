// Holds the balances, and carries out whatever arrives.

import { always } from "dacapo:sim";
import type { Order, Outcome } from "./order.ts";

const balances = new Map<string, number>();

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === "GET") return Response.json(Object.fromEntries(balances));
    const order: Order = await request.json();
    return Response.json(carryOut(order));
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
