// Pays, and asks again with the same key until it hears that the payment was booked.

import { always, driver, random, sleep, sometimes } from "dacapo:sim";

let paid = 0;
let count = 0;
let calls = 0;
let asked = 0;

export const drivers = {
  pay: driver(
    async () => {
      const payment = `${++count}`;
      const amount = random.int(1, 100);
      for (;;) {
        const answer = await fetch("https://till.example/", { method: "POST", body: JSON.stringify({ payment, amount }) });
        const text = await answer.text();
        if (answer.ok) {
          const told = JSON.parse(text);
          sometimes(told.calls < calls, "an object has lost its memory");
          ({ calls } = told);
          break;
        }
        sometimes(text.includes("turn budget exhausted"), "a handler is killed");
        sometimes(text.includes("was evicted"), "an object is evicted in the middle of a call");
        sometimes(text.includes("lives on"), "a second object is not begun");
        if (answer.status === 503) always(JSON.parse(text).reset, "who calls an object that ends is told so", text);
        await sleep(50);
      }
      paid += amount;
    },
    { clients: 2, pause: 400 },
  ),
  ring: driver(
    async () => {
      const told = await (await fetch("https://bell.example/")).json();
      sometimes(told.asked < asked, "a service ends while it goes on after its answer");
      always(told.asked >= told.rung, "and with all of its memory", told);
      ({ asked } = told);
    },
    { pause: 500 },
  ),
};

export const judgments = {
  async "every payment is booked once"() {
    const { balance } = await (await fetch("https://till.example/")).json();
    always(balance === paid, "every payment is booked once", { balance, paid });
  },
};
