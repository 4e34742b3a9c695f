// Several clients count at once.

import { driver, equal } from "dacapo:sim";

let acknowledged = 0;

async function count() {
  const answer = await fetch("https://counter.example/", { method: "POST" });
  await answer.json();
  acknowledged++;
}

export const drivers = { count: driver(count, { clients: 3, pause: 20 }) };

export const judgments = {
  async "every acknowledged step is counted"() {
    const answer = await fetch("https://counter.example/");
    equal(await answer.json(), acknowledged, "the count is what was acknowledged");
  },
};
