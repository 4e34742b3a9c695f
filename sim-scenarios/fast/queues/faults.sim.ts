// What was acknowledged to its sender is handled at least once, whatever fails; and it does come more often than that.

import { always, driver, random, sleep, sometimes } from "dacapo:sim";
import type { Seen } from "./worker.ts";

const sent: string[] = [];
let count = 0;

export const drivers = {
  send: driver(
    async () => {
      const id = `job-${++count}`;
      const body = { id, then: random.chance(0.1) ? "retry" : undefined };
      const answer = await fetch("https://sender.example/", { method: "POST", body: JSON.stringify({ queue: "JOBS", body }) });
      if (answer.ok) sent.push(id);
    },
    { clients: 3, pause: 300 },
  ),
};

export const judgments = {
  async "every message that was taken is handled"() {
    let missing = sent;
    // What is on its way is delivered within the time that a queue looks after it, and a few tries.
    for (let tries = 0; tries < 30 && missing.length > 0; tries++) {
      await sleep(10_000);
      const lines = (await (await fetch("https://worker.example/lines")).json()) as Seen[];
      const seen = new Set(lines.map((line) => line.job));
      missing = sent.filter((id) => !seen.has(id));
      sometimes(lines.some((line) => line.attempts > 1), "a message is tried again");
      sometimes(lines.some((line) => line.size === 1) && lines.some((line) => line.size > 1), "batches differ in size");
    }
    always(missing.length === 0, "every message that was taken is handled", missing);
  },
};
