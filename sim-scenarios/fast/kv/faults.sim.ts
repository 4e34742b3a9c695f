// What was acknowledged is read; what was not may be, or not.

import { always, driver, random, sometimes } from "dacapo:sim";

// For each key what it may hold: the last value that was acknowledged, and those that came after it.
const may = new Map<string, Set<string | null>>();
let count = 0;

const allowed = (key: string) => may.get(key) ?? may.set(key, new Set([null])).get(key)!;

export const drivers = {
  sessions: driver(
    async (_env: any, ctx: any) => {
      // A client writes only its own keys, so it knows what they may hold.
      const key = `client-${ctx.client}-${random.int(1, 4)}`;
      const values = allowed(key);
      if (random.chance(0.5)) {
        const value = random.chance(0.2) ? null : `value-${++count}`;
        values.add(value);
        const answer = await fetch(`https://front.example/${key}`, value === null ? { method: "DELETE" } : { method: "PUT", body: value });
        if (answer.ok) may.set(key, new Set([value]));
      } else {
        const answer = await fetch(`https://front.example/${key}`);
        if (answer.ok) always(values.has(await answer.json()), "a key holds what was written last", [...values]);
      }
      sometimes(values.size > 2, "nobody knows what a key holds");
    },
    { clients: 3, pause: 200 },
  ),
};

export const judgments = {
  async "what was acknowledged is there"(env: any) {
    const listed = new Set((await env["kv.sessions"].list({ prefix: "client-" })).keys.map(({ name }: any) => name));
    for (const [key, values] of may) {
      const value = await env["kv.sessions"].get(key);
      always(values.has(value), "what was acknowledged is there", { key, value, values: [...values] });
      always(listed.has(key) === (value !== null), "what is there is listed", { key, value });
    }
  },
};
