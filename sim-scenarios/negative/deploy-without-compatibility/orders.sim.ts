import { always, driver, random } from "dacapo:sim";

let count = 0;

export const drivers = {
  order: driver(
    async () => {
      const url = `https://shop.example/${++count}`;
      const amount = random.int(1, 100);
      const taken = await fetch(url, { method: "PUT", body: `${amount}` });
      if (!taken.ok) return;
      const answer = await fetch(url);
      if (answer.ok) {
        const text = await answer.text();
        always(text === `${amount}`, "an order that was taken can be read", { amount, text });
      }
    },
    { clients: 2, pause: 500 },
  ),
};
