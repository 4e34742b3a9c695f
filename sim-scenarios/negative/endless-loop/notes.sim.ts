// Writes notes of all widths, and expects to find again what was acknowledged.

import { driver, equal, random } from "dacapo:sim";

let acknowledged = 0;

async function write() {
  const note = { text: "da capo al fine", width: random.int(0, 20) };
  const answer = await fetch("https://notes.example/", { method: "POST", body: JSON.stringify(note) });
  if (answer.status === 204) acknowledged++;
}

export const drivers = { write: driver(write, { pause: 200 }) };

export const judgments = {
  async "an acknowledged note is there"() {
    const answer = await fetch("https://notes.example/");
    equal((await answer.json()).length, acknowledged, "every acknowledged note is there");
  },
};
