// Stands in for the payment provider, and behaves as such providers do on a bad day: it is slow, it answers 503 now
// and then, and sometimes it has taken the money by the time it answers 503.

import { random, sleep } from "dacapo:sim";

interface Charge {
  order: string;
  cents: number;
  state: "succeeded" | "declined";
}

const charges: Charge[] = [];

export default {
  async fetch(request: Request): Promise<Response> {
    // Not a part of the provider's API: the workload looks into its books.
    if (request.method === "GET") return Response.json(charges);
    const key = request.headers.get("idempotency-key");
    const { cents, card } = await request.json();
    if (random.chance(0.1)) await sleep(random.int(500, 4000));
    if (random.chance(0.1)) return new Response("try again\n", { status: 503 });
    const charge = chargeOf(key ?? crypto.randomUUID(), cents, card);
    if (random.chance(0.1)) return new Response("try again\n", { status: 503 });
    return Response.json({ state: charge.state, cents: charge.cents }, { status: charge.state === "succeeded" ? 200 : 402 });
  },
};

function chargeOf(order: string, cents: number, card: string): Charge {
  const known = charges.find((charge) => charge.order === order);
  if (known !== undefined) return known;
  const charge: Charge = { order, cents, state: card.endsWith("0") ? "declined" : "succeeded" };
  charges.push(charge);
  return charge;
}
