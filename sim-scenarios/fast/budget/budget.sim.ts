// Asks for endless loops, and asks the neighbour meanwhile.

import { always, driver, random, reachable } from "dacapo:sim";

let asked = 0;

async function loop() {
  const path = random.pick(["/while", "/for", "/functions", "/catch", "/promises"]);
  const answer = await fetch(`https://looper.example${path}`);
  const text = await answer.text();
  always(answer.status === 500, "who asks for an endless loop gets a 500", { path, status: answer.status, text });
  always(text.includes("turn budget exhausted"), "the answer says that the budget is used up", text);
  reachable("an endless loop ends");
}

async function harmless() {
  const path = random.pick(["/harmless", "/backtracks"]);
  const answer = await fetch(`https://looper.example${path}`);
  always(answer.status === 200, "the next request finds a new instance", answer.status);
}

async function neighbour() {
  const answer = await fetch("https://neighbour.example/");
  always((await answer.json()) === ++asked, "a neighbour keeps its memory");
}

export const drivers = {
  loop: driver(loop, { pause: 500 }),
  // One client each: the answer to a request that shares its turn with no other is known exactly.
  harmless: driver(harmless, { pause: 200 }),
  neighbour: driver(neighbour, { pause: 100 }),
};
