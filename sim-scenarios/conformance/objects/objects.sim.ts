// Calls methods of two objects, one after the other, and prints what they say.

import { sleep } from "dacapo:sim";

const PATHS = [
  "one/count/1", "one/count/2.5", "two/count/10", "one/count/3", "one/keys/%7B%22x%22:%5B1%5D%7D", "one/undone",
  "one/fail", "one/abort", "one/lost", "one/count/0", "two/nothing", "two/count/true", "one/ring",
];

async function call(path: string) {
  const answer = await fetch(`https://things.example/${path}`);
  console.log(`${path}: ${answer.status} ${await answer.text()}`);
}

export async function setup() {
  for (const path of PATHS) await call(path);
  await sleep(500);
}

export const judgments = {
  async "the alarm has rung"() {
    await call("one/rung");
  },
};
