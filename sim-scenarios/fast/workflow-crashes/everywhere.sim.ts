import { always } from "dacapo:sim";
import { ask, judge } from "./ask.ts";

export const judgments = {
  async "one instance ends"(env: any) {
    await ask(() => env["flows.Flow"].createBatch([{ id: "one" }]));
    const instance = await ask<any>(() => env["flows.Flow"].get("one"));
    await ask(() => instance.sendEvent({ type: "go", payload: "one" })).catch((error) => {
      always(error.message.includes("it is complete"), "an event is refused only by who has ended", error);
    });
    await judge(env, instance, NaN);
  },
};
