// What the platform may do to cron lines and alarms, and what it may not.

import { always, sleep, sometimes } from "dacapo:sim";
import type { Entry } from "./clock.ts";

const HOUR = 3_600_000;
const read = async (what: string): Promise<Entry[]> =>
  (await fetch(`https://clock.example/${encodeURIComponent(what)}`)).json();

let begin = 0;

export async function setup() {
  begin = Date.now();
  await fetch("https://clock.example/", { method: "POST" });
}

export const judgments = {
  async "cron lines are skipped and doubled, alarms are late and doubled, and none is lost"() {
    // Nothing fails any more: a firing that was late has been made up for.
    await sleep(HOUR / 20);
    const lines = await read("*/30 * * * *");
    const dues = lines.map(({ due }) => due);
    const unique = new Set(dues);
    const expected = Math.floor((Date.now() - begin) / (HOUR / 2));
    sometimes(unique.size < expected, "a cron line is skipped");
    sometimes(unique.size < dues.length, "a cron line runs twice for one moment");
    always(unique.size <= expected, "a cron line never runs for a moment at which it is not due", { expected, was: unique.size });
    always(dues.every((due) => dues.filter((other) => other === due).length <= 2), "nor more than twice");

    const alarms = await read("alarm");
    const rung = new Set(alarms.map(({ due }) => due));
    always(rung.size === Math.floor((Date.now() - begin) / HOUR), "no alarm is lost", rung.size);
    sometimes(rung.size < alarms.length, "an alarm rings twice for one moment");
    sometimes(alarms.some(({ due, at }) => at > due + 1000), "an alarm is late");
    always(alarms.every(({ due, at }) => at >= due && at <= due + 61_000), "but not by more than it may be");
  },
};
