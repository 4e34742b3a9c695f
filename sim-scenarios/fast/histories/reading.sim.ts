// Clients write and read registers; each value is written once.

import { driver, history, linearizable, random } from "dacapo:sim";

const h = history();
let next = 0;

async function ask(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  // Nobody knows what became of a request that ends like this: as if there were no answer.
  if (!answer.ok) throw new DOMException(`status ${answer.status}`, "AbortError");
  return answer;
}

async function act(_: unknown, { client }: { client: number }) {
  const key = random.pick(["a", "b", "c"]);
  const url = `https://registers.example/${key}`;
  const signal = AbortSignal.timeout(2000);
  if (random.chance(0.5)) {
    const value = ++next;
    await h.call(client, { f: "write", key, value }, async () => {
      await ask(url, { method: "PUT", body: `${value}`, signal });
    });
  } else {
    await h.call(client, { f: "read", key }, async () => (await ask(url, { signal })).json());
  }
}

export const drivers = { act: driver(act, { clients: 4, pause: 50 }) };

// The same object, as a model of one's own.
const register = {
  name: "a register of one's own",
  init: null,
  reads: ["read"],
  step: (state: any, { f, value, result, outcome }: any) => {
    if (f === "write") return { ok: true, state: value };
    return { ok: outcome === "unknown" || result === state, state };
  },
};

export const judgments = {
  "registers are linearizable"() {
    linearizable(h, "register");
    linearizable(h, register);
  },
};
