// What visitors do, and what must hold.

import { always, driver, equal, sometimes } from "dacapo:sim";

let visits = 0;

async function visit(): Promise<void> {
  const id = `visit-${++visits}`;
  for (;;) {
    try {
      const answer = await fetch("https://greeter.example/?name=Ada", { headers: { visit: id } });
      if (answer.status === 200) {
        const { hello } = await answer.json();
        always(hello === "Ada", "a visitor is greeted by name");
        return;
      }
      sometimes(true, "a visitor has to try again");
    } catch {
      // The network failed: try again, under the same name.
    }
  }
}

export const drivers = { visit: driver(visit, { clients: 3, pause: 200 }) };

export const judgments = {
  async "every visit counts once"(env: any) {
    const count = await env.COUNTER.fetch("https://counter.internal/");
    equal(Number(await count.text()), visits, "every visit counts once");
  },
};
