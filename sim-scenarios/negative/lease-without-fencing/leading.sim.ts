// Clients ask any worker to write, all the time.

import { always, driver, reachable } from "dacapo:sim";

let values = 0;

async function order(env: any): Promise<number[]> {
  return env["keeper.Register"].getByName("the register").order();
}

async function check(env: any) {
  const epochs = await order(env);
  const late = epochs.findIndex((epoch, at) => at > 0 && epoch <= epochs[at - 1]);
  always(late === -1, "nobody writes after a later leader has", epochs.slice(Math.max(0, late - 2), late + 2));
}

export const drivers = {
  write: driver(
    async () => {
      const signal = AbortSignal.timeout(3000);
      const body = `value ${++values}`;
      const answer = await fetch("https://worker.example/", { method: "POST", body, signal }).catch(() => null);
      if (answer?.status === 200) reachable("a leader writes");
    },
    { clients: 4, pause: 100 },
  ),
};

export const invariants = {
  async "leaders follow one another"(env: any) {
    await check(env).catch((error) => {
      if (error.name === "AssertionError") throw error;
    });
  },
};

export const judgments = {
  "leaders followed one another": check,
};
