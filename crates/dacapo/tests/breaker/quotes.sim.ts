// Customers ask for prices.

import { always, driver } from "dacapo:sim";

async function quote() {
  const answer = await fetch("https://prices.example/", { signal: AbortSignal.timeout(2000) });
  const { price } = await answer.json();
  always(price > 0, "a price is above zero");
}

export const drivers = { quote: driver(quote, { clients: 1, pause: 200 }) };
