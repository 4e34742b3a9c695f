// Does to instances what can be done to them, one thing after the other, and prints what they say.

import { sleep } from "dacapo:sim";

async function call(id: string, method: string, ...args: unknown[]) {
  const body = JSON.stringify(args);
  const answer = await fetch(`https://flows.example/${id}/${method}`, { method: "POST", body });
  console.log(`${id} ${method} ${body.slice(1, -1)}: ${await answer.text()}`);
}

export async function setup() {
  await call("one", "create");
  await call("one", "create");
  await call("-", "create");
  await call("nobody", "status");
  await sleep(500);
  await call("one", "status");
  await call("one", "query", "what");
  await call("one", "update", "add", 7);
  await call("one", "query", "run");
  await call("one", "sendEvent", { type: "go", payload: 5 });
  await call("one", "pause");
  await sleep(1500);
  await call("one", "status");
  await call("one", "resume");
  await sleep(1000);
  await call("one", "status");
  await call("one", "resume");
  await call("two", "create", { fails: true });
  await sleep(500);
  await call("two", "status");
  await call("two", "terminate");
  await call("three", "create");
  await call("three", "terminate");
  await call("three", "status");
}
