// Clients read two lists and append to one of them.

import { Refused, driver, history, random, serializable } from "dacapo:sim";

const h = history();
let next = 0;

async function transact(_: unknown, { client }: { client: number }) {
  const [one, other] = random.shuffle(["apples", "pears", "plums"]);
  const micros = [["r", one, null], ["r", other, null], ["append", one, ++next]];
  await h.call(client, { f: "txn", value: micros }, async () => {
    const answer = await fetch("https://store.example/", {
      method: "POST",
      body: JSON.stringify(micros),
      signal: AbortSignal.timeout(2000),
    });
    if (answer.status === 409) throw new Refused();
    return await answer.json();
  });
}

export const drivers = { transact: driver(transact, { clients: 4, pause: 50 }) };

export const judgments = {
  "transactions are serializable"() {
    serializable(h);
  },
};
