// Lets messages be sent and prints what became of them, and what cannot be forged.

import { sleep } from "dacapo:sim";

async function call(path: string, init = {}) {
  const answer = await fetch(`https://worker.example/${path}`, init);
  console.log(`${path}: ${answer.status} ${await answer.text()}`);
}

export async function setup(env: any) {
  await call("forged", { headers: { "dacapo-event": "queue", "dacapo-take": "1" } });
  await call("send");
  await sleep(1500);
  await call("list");
  const things = env["kv.things"];
  const bytes = new Uint8Array(3_000_000).map((_, at) => at % 251);
  await things.put("large", bytes);
  const back = new Uint8Array(await things.get("large", "arrayBuffer"));
  console.log("large:", back.length, back.every((byte, at) => byte === bytes[at]));
  console.log("gone:", await things.delete("large"), await things.get("large"));
}
