// What was acknowledged is read. What was not may be read or not, and may even come after what was written later: it
// may still be on its way.

import { always, driver, random, sometimes } from "dacapo:sim";

// For each key what it may hold: the last value that was acknowledged, and those of which nobody knows.
const may = new Map<string, { last: string | null; unsure: Set<string | null> }>();
let count = 0;

const model = (key: string) => may.get(key) ?? may.set(key, { last: null, unsure: new Set() }).get(key)!;

export const drivers = {
  sessions: driver(
    async (_env: any, ctx: any) => {
      // A client writes only its own keys, so it knows what they may hold.
      const key = `client-${ctx.client}-${random.int(1, 4)}`;
      const known = model(key);
      if (random.chance(0.5)) {
        const value = random.chance(0.2) ? null : `value-${++count}`;
        // Not PUT or DELETE: proxies may send those twice, and the second one comes at any time.
        const init = { method: "POST", body: JSON.stringify(value) };
        // What an earlier round of this client wrote to this key has been acknowledged, or is unsure for ever.
        const answer = await fetch(`https://front.example/${key}`, init).catch((error) => {
          known.unsure.add(value);
          throw error;
        });
        if (answer.ok) known.last = value;
        else known.unsure.add(value);
      } else {
        const answer = await fetch(`https://front.example/${key}`);
        if (!answer.ok) return;
        const value = await answer.json();
        always(value === known.last || known.unsure.has(value), "a key holds what was written last", { value, last: known.last });
      }
      sometimes(known.unsure.size > 0, "nobody knows what a key holds");
    },
    { clients: 3, pause: 200 },
  ),
};

export const judgments = {
  async "what was acknowledged is there"(env: any) {
    const listed = new Set((await env["kv.sessions"].list({ prefix: "client-" })).keys.map(({ name }: any) => name));
    for (const [key, { last, unsure }] of may) {
      const value = await env["kv.sessions"].get(key);
      always(value === last || unsure.has(value), "what was acknowledged is there", { key, value, last });
      always(listed.has(key) === (value !== null), "what is there is listed", { key, value });
    }
  },
};
