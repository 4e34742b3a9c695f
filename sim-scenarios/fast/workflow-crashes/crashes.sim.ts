import { always, driver, random, reachable, sleep } from "dacapo:sim";
import { ask, judge } from "./ask.ts";

let flows = 0;
const begun: { instance: any; added: number }[] = [];

export const drivers = {
  flow: driver(
    async (env: any) => {
      const id = `flow-${++flows}`;
      await ask(() => env["flows.Flow"].createBatch([{ id }]));
      const instance = await ask<any>(() => env["flows.Flow"].get(id));
      const flow = { instance, added: 0 };
      begun.push(flow);
      // Before the workflow waits for it, or long after.
      if (random.chance(0.5)) await sleep(random.int(3000, 8000));
      // An answer that was lost: it is sent again, and the workflow may have ended meanwhile.
      await ask(() => instance.sendEvent({ type: "go", payload: id })).catch((error) => {
        always(error.message.includes("it is complete"), "an event is refused only by who has ended", error);
      });
      try {
        flow.added = await instance.update("add", 1);
      } catch {
        // Nobody knows whether it has been carried out.
        flow.added = NaN;
      }
    },
    { clients: 2, pause: 1500 },
  ),
};

export const judgments = {
  async "each instance ends with what it has observed"(env: any) {
    for (const { instance, added } of begun) {
      const notes = await judge(env, instance, added);
      if (notes.one > 1) reachable("a step takes effect twice, and is recorded once");
    }
  },
};
