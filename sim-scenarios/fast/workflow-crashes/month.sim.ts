import { always, driver, equal, reachable, sleep } from "dacapo:sim";
import { ask, ended } from "./ask.ts";

const DAY = 86_400_000;
const begun: any[] = [];
let flows = 0;
const first = Date.now();

export const drivers = {
  flow: driver(
    async (env: any) => {
      if (flows >= 5 || begun.length > 0 && Date.now() - first > 8 * DAY) return;
      const id = `slow-${++flows}`;
      await ask(() => env["flows.Flow"].createBatch([{ id, params: { days: 30 } }]), 60_000);
      begun.push(await ask<any>(() => env["flows.Flow"].get(id), 60_000));
      await sleep(10 * DAY);
    },
    { clients: 5, pause: DAY },
  ),
};

export const judgments = {
  async "a month takes a month"(env: any) {
    for (const instance of begun) {
      for (let i = 0; (await ask<any>(() => instance.status(), 60_000)).status === "waiting" && i < 30; i++) await sleep(DAY / 60);
      const { status, output } = await ended(instance, 10_000);
      equal(status, "complete", "a workflow that sleeps for a month wakes up");
      always(output >= 30 * DAY, "and not before", output);
      const notes = await ask<Record<string, number>>(() => env["ledger.Ledger"].getByName(instance.id).notes());
      always(notes.before >= 1 && notes.after >= 1, "what is before and after the sleep happens", notes);
      reachable("a month passes");
    }
  },
};
