// Clients count under keys, and ask again until they are answered.

import { always, driver, equal, random, sleep, sometimes } from "dacapo:sim";

const NAMES = ["apples", "pears", "plums", "figs"];
const PATIENCE_MS = 5_000;

let keys = 0;
const asked: Record<string, number> = {};
const acknowledged: Record<string, number> = {};

async function ask(name: string, init: RequestInit): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(`https://counter.example/${name}`, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
      sometimes(answer.ok && tries > 1, "a client who asks again is answered");
      if (answer.ok) return await answer.json();
    } catch (error) {
      if (error.code === "denied" || error.code === "unknown") throw error;
    }
    await sleep(random.int(50, 500));
  }
}

export const drivers = {
  count: driver(
    async () => {
      const name = random.pick(NAMES);
      asked[name] = (asked[name] ?? 0) + 1;
      await ask(name, { method: "POST", headers: { "idempotency-key": `key-${++keys}` } });
      acknowledged[name] = (acknowledged[name] ?? 0) + 1;
    },
    { clients: 4, pause: 100 },
  ),
};

export const invariants = {
  async "no acknowledged count is lost"() {
    const name = random.pick(NAMES);
    const atLeast = acknowledged[name] ?? 0;
    const value = await ask(name, {});
    always(value >= atLeast, "a counter never falls behind what was acknowledged", { name, value, atLeast });
    always(value <= (asked[name] ?? 0), "a counter never runs ahead of what was asked", { name, value, asked: asked[name] });
  },
};

export const judgments = {
  async "each counts exactly once"() {
    for (const name of NAMES) {
      equal(await ask(name, {}), acknowledged[name] ?? 0, `${name} were counted once each`);
    }
  },
};
