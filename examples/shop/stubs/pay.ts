// Stands in for the payment provider, and behaves as such providers do on a bad day: it is slow, it answers 503 now
// and then, and sometimes it has taken the money by the time it answers 503.

import { random, sleep } from "dacapo:sim";

interface Charge {
  reference: string;
  cents: number;
  state: "succeeded" | "declined";
}

// By idempotency key: the same key is the same charge, and another key is another.
const charges = new Map<string, Charge>();

export default {
  async fetch(request: Request): Promise<Response> {
    // Not a part of the provider's API: the workload looks into its books.
    if (request.method === "GET") return Response.json([...charges.values()]);
    const key = request.headers.get("idempotency-key");
    const { reference, cents, card } = await request.json();
    if (random.chance(0.1)) await sleep(random.int(500, 4000));
    if (random.chance(0.1)) return new Response("try again\n", { status: 503 });
    const state = card.endsWith("0") ? "declined" : "succeeded";
    const charge = chargeOf(key ?? crypto.randomUUID(), { reference, cents, state });
    if (random.chance(0.1)) return new Response("try again\n", { status: 503 });
    return Response.json(charge, { status: charge.state === "succeeded" ? 200 : 402 });
  },
};

function chargeOf(key: string, wanted: Charge): Charge {
  const charge = charges.get(key) ?? wanted;
  charges.set(key, charge);
  return charge;
}
