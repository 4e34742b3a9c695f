// Customers order, some of them with a card that is declined. No order is paid twice, every paid order ships.

import { always, driver, equal, random, sleep, sometimes } from "dacapo:sim";

const PRODUCTS = ["metronome", "stand", "score"];
const PATIENCE_MS = 5_000;

// Orders that the shop has accepted: id → what it said they cost.
const accepted = new Map<string, number>();

async function order(_: unknown, { client, round }) {
  const id = `c${client}-${round}`;
  const wanted = { product: random.pick(PRODUCTS), quantity: random.int(1, 3), card: `4242-${random.int(0, 9)}` };
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(`https://shop.example/orders/${id}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wanted),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status === 202) {
        accepted.set(id, (await answer.json()).cents);
        sometimes(tries > 1, "a customer has to order again");
        return;
      }
      always(answer.status === 503 || answer.status === 500, "a good order is accepted or asked for again", answer.status);
    } catch (error) {
      if (error.code === "denied" || error.code === "unknown") throw error;
    }
    await sleep(random.int(200, 2000));
  }
}

async function mistake() {
  const body = JSON.stringify({ product: "violin", quantity: 1, card: "4242-1" });
  const headers = { "content-type": "application/json" };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch("https://shop.example/orders/wrong", { method: "PUT", headers, body, signal });
  always([400, 503].includes(answer.status), "an order for what is not sold is refused", answer.status);
}

interface Charge {
  reference: string;
  cents: number;
  state: "succeeded" | "declined";
}

// The stub's own door: what has really been charged.
async function charges(): Promise<Charge[]> {
  const answer = await fetch("https://api.pay.example/v1/charges", { signal: AbortSignal.timeout(PATIENCE_MS) });
  return answer.json();
}

export const drivers = {
  order: driver(order, { clients: 3, pause: 1500 }),
  mistake: driver(mistake, { pause: 5000 }),
};

export const invariants = {
  async "no order is paid twice"() {
    const paid = (await charges()).filter(({ state }) => state === "succeeded").map((charge) => charge.reference);
    always(new Set(paid).size === paid.length, "no order is paid twice", paid);
  },
};

export const judgments = {
  async "every paid order ships, and no other"(env: any) {
    // What was left over is taken up again every minute.
    await sleep(130_000);
    const paid = (await charges()).filter(({ state }) => state === "succeeded");
    const answer = await env.WAREHOUSE.fetch("https://warehouse.internal/shipments");
    const shipped = Object.keys(await answer.json());
    equal(shipped.sort(), paid.map((charge) => charge.reference).sort(), "what ships is what is paid");
  },

  async "every accepted order comes to its end"() {
    for (const [id, cents] of accepted) {
      const answer = await fetch(`https://shop.example/orders/${id}`);
      const found = await answer.json();
      equal(found.cents, cents, "the price stays");
      always(["shipped", "declined"].includes(found.state), "an accepted order comes to its end", found);
    }
  },
};
