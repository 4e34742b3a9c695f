import { always, sleep } from "dacapo:sim";
import { ask, judge } from "./ask.ts";

export const judgments = {
  async "one instance ends"(env: any) {
    await ask(() => env["flows.Flow"].createBatch([{ id: "one" }]));
    const instance = await ask<any>(() => env["flows.Flow"].get("one"));
    // The workflow has left memory, and this is what it waits for.
    await sleep(6000);
    await ask(() => instance.sendEvent({ type: "go", payload: "one" })).catch((error) => {
      always(error.message.includes("it is complete"), "an event is refused only by who has ended", error);
    });
    await judge(env, instance, NaN);
  },
};
