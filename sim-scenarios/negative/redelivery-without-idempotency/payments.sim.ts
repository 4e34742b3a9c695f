import { always, driver, random, sleep } from "dacapo:sim";

let paid = 0;

export const drivers = {
  pay: driver(
    async () => {
      const amount = random.int(1, 100);
      const answer = await fetch("https://till.example/", { method: "POST", body: `${amount}` });
      if (answer.ok) paid += amount;
    },
    { clients: 2, pause: 500 },
  ),
};

export const judgments = {
  async "what was paid is what is booked"() {
    await sleep(30_000);
    const booked = await (await fetch("https://books.example/")).json();
    always(booked === paid, "what was paid is what is booked", { booked, paid });
  },
};
