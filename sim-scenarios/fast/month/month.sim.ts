// Lets three months pass, and looks into the diary.

import { equal, sleep } from "dacapo:sim";
import type { Entry } from "./clock.ts";

const DAY = 86_400_000;
const read = async (what: string): Promise<Entry[]> =>
  (await fetch(`https://clock.example/${encodeURIComponent(what)}`)).json();
const minute = (due: number) => new Date(due).toISOString().slice(0, 16);

export async function setup() {
  const begin = Date.now();
  await fetch("https://clock.example/", { method: "POST" });
  await sleep(100 * DAY);
  const days = (Date.now() - begin) / DAY;

  const halves = await read("*/30 * * * *");
  equal(halves.length, Math.floor(days * 48), "a line for each half hour is due each half hour");
  const alarms = await read("alarm");
  equal(alarms.length, Math.floor(days * 24), "an alarm for each hour rings each hour");
  equal(new Set(alarms.map(({ due }) => due)).size, alarms.length, "and once");

  const nights = await read("30 2 * * *");
  equal(nights.length, Math.floor(days), "a line for each night is due each night");
  const around = nights.map(({ due }) => minute(due)).filter((due) => due >= "2025-03-29" && due < "2025-04-01");
  equal(around, ["2025-03-29T01:30", "2025-03-30T01:00", "2025-03-31T00:30"], "also in the night that has no half past two");

  const mornings = await read("0 9 * * MON-FRI");
  const weekdays = new Set(mornings.map(({ due }) => new Date(due).getUTCDay()));
  equal([...weekdays].sort(), [1, 2, 3, 4, 5], "a line for workdays is due on workdays");
  const hours = new Set(mornings.map(({ due }) => minute(due).slice(11)));
  equal([...hours].sort(), ["07:00", "08:00"], "at nine, by the clock of its zone, in winter and in summer");
  for (const { due, at } of [...halves, ...nights, ...mornings]) equal(minute(at), minute(due), "all of it is in time");
}
