// ROUNDS calls of one object with a pause between: each pause is long enough for it to leave memory.

import { equal, sleep } from "dacapo:sim";

const ROUNDS = 200;

export async function setup(env: any) {
  const object = env["cold.Cold"].getByName("one");
  for (let i = 1; i <= ROUNDS; i++) {
    equal(await object.count(), i, "what was stored is there");
    await sleep(3_000);
  }
}
