// Waits for each instance before it begins the next.

import { equal, sleep } from "dacapo:sim";

const INSTANCES = 10;

export async function setup(env: any) {
  for (let i = 0; i < INSTANCES; i++) {
    const instance = await env["flows.Flow"].create({ id: `flow-${i}` });
    await sleep(10_000);
    equal((await instance.status()).output, 499_500, "all steps are taken");
  }
}
