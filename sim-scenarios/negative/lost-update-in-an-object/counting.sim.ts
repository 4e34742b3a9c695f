import { always, driver } from "dacapo:sim";

let acknowledged = 0;

export const drivers = {
  count: driver(
    async () => {
      const answer = await fetch("https://counter.example/", { method: "POST" });
      if (answer.ok) acknowledged++;
    },
    { clients: 4, pause: 20 },
  ),
};

export const judgments = {
  async "no count is lost"() {
    const answer = await fetch("https://counter.example/");
    const value = await answer.json();
    always(value === acknowledged, "every acknowledged count counts", { value, acknowledged });
  },
};
