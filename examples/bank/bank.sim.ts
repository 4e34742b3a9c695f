// What customers do, and what must hold whatever happens to the network, the clocks and the machines.

import { always, driver, equal, random, sleep, sometimes } from "dacapo:sim";
import type { Order, Outcome } from "./src/order.ts";

const CUSTOMERS = ["ada", "ben", "cleo", "dan"];
const OPENING = 10_000;
const PATIENCE_MS = 4_000;

// The customers' own book. Each order has a key; nobody gives up before it is known what came of it.
let keys = 0;
let deposited = { asked: 0, acknowledged: 0 };
const expected: Record<string, number> = {};
const done = new Map<string, Order>();

async function place(order: Order): Promise<Outcome> {
  const key = `order-${++keys}`;
  if (order.kind === "deposit") deposited.asked += order.amount;
  const outcome = await untilAnswered(key, order);
  if (outcome.status === "done") {
    done.set(key, order);
    if (order.kind === "deposit") deposited.acknowledged += order.amount;
    else expected[order.from] -= order.amount;
    expected[order.to] = (expected[order.to] ?? 0) + order.amount;
  }
  return outcome;
}

async function untilAnswered(key: string, order: Order): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch("https://bank.example/orders", {
        method: "POST",
        headers: { "idempotency-key": key, "content-type": "application/json" },
        body: JSON.stringify(order),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const outcome = answer.ok ? await answer.json() : null;
      sometimes(outcome !== null && tries > 1, "a customer who asks again is answered");
      if (outcome !== null) return outcome;
    } catch (error) {
      if (error.code === "denied" || error.code === "unknown") throw error;
    }
    await sleep(random.int(100, 1000));
  }
}

async function balances(env: any): Promise<Record<string, number>> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await env.ACCOUNTS.fetch("https://accounts.internal/balances", { signal });
  return answer.json();
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

export async function setup() {
  for (const to of CUSTOMERS) await place({ kind: "deposit", to, amount: OPENING });
}

export const drivers = {
  transfer: driver(
    async () => {
      const [from, to] = random.shuffle(CUSTOMERS);
      const outcome = await place({ kind: "transfer", from, to, amount: random.int(1, OPENING) });
      sometimes(outcome.status === "refused", "a transfer is refused");
    },
    { clients: 3, pause: 300 },
  ),
  deposit: driver(
    async () => void (await place({ kind: "deposit", to: random.pick(CUSTOMERS), amount: random.int(1, 500) })),
    { clients: 2, pause: 1000 },
  ),
};

// While it runs: the answer is from some moment between the question and the answer.
export const invariants = {
  async "money neither vanishes nor appears"(env: any) {
    const atLeast = deposited.acknowledged;
    const now = await balances(env);
    const total = sum(Object.values(now));
    const atMost = deposited.asked;
    always(total >= atLeast, "no money vanishes", { total, atLeast });
    always(total <= atMost, "no money appears", { total, atMost });
    always(Object.values(now).every((cents) => cents >= 0), "no account is overdrawn", now);
  },
};

// In the end: everything has been answered, so everything is known exactly.
export const judgments = {
  async "every acknowledged order counts exactly once"(env: any) {
    const total = sum(Object.values(await balances(env)));
    equal(total, deposited.acknowledged, "the bank holds what was deposited");
    equal(await balances(env), expected, "each account holds what its orders leave");
  },

  async "the journal tells the same story"(env: any) {
    const answer = await env.JOURNAL.fetch("https://journal.internal/entries");
    const entries: { key: string; order: Order }[] = await answer.json();
    const written = new Map(entries.map(({ key, order }) => [key, order]));
    equal(written.size, entries.length, "no order stands in the journal twice");
    equal(written, done, "the journal has what was done");
  },
};
