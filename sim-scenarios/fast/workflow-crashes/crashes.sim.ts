import { always, driver, equal, reachable } from "dacapo:sim";
import { ask, ended } from "./ask.ts";

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
      const { status, output, error } = await ended(instance, 300);
      equal([status, error], ["complete", undefined], "each instance comes to its end");
      const notes = await ask<Record<string, number>>(() => env["ledger.Ledger"].getByName(instance.id).notes());
      for (const name of ["one", "a", "b", "c"]) always(notes[name] >= 1, "each step takes effect at least once", { name, notes });
      if (notes.one > 1) reachable("a step takes effect twice, and is recorded once");
      const told = Object.keys(notes).filter((note) => note.startsWith("told ")).map((note) => note.slice(5));
      // Each drawn value that was ever told is the one that the workflow ended with.
      equal(told.sort(), [output.one, output.winner, `event=${instance.id}`, ...output.all].sort(), "what was recorded once is seen for ever");
      always(output.payload === instance.id, "the event arrives");
      if (!Number.isNaN(added)) always(output.added === added, "an update that was acknowledged counts", { added, output });
    }
  },
};
