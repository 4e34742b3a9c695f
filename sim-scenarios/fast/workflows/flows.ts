// A workflow that does what its params say.

import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";

// Which release of the code an instance is to run: what a deployment would change.
export class Switch extends DurableObject {
  set(release: string) {
    this.ctx.storage.kv.put("release", release);
  }
  get() {
    return this.ctx.storage.kv.get<string>("release");
  }
}

export class Plain {
  run() {}
}

export class Flow extends WorkflowEntrypoint {
  seen: unknown[] = [];
  total = 0;

  async run(event: any, step: any) {
    return await (this as any)[event.payload.what](event, step);
  }

  async steps(event: any, step: any) {
    const one = await step.do("one", () => ({ n: 1, at: new Date(5), bytes: new Uint8Array([1, 2]) }));
    one.n = 7;
    const two = await step.do("twice", async () => "a");
    const three = await step.do("twice", async () => "b");
    const [x, y] = await Promise.all([step.do("x", async (ctx: any) => ctx.step), step.do("y", async (ctx: any) => ctx.attempt)]);
    return { one, two, three, x, y, id: event.instanceId, nothing: await step.do("nothing", () => {}) };
  }

  async retries(_: any, step: any) {
    const attempts: number[] = [];
    const times: number[] = [];
    const begun = Date.now();
    const fails = (name: string, config: any) =>
      step.do(name, config, async ({ attempt }: any) => {
        attempts.push(attempt);
        times.push(Date.now() - begun);
        throw new RangeError(`attempt ${attempt}`);
      }).catch((error: any) => `${error.name}: ${error.message} ${error instanceof RangeError}`);
    const told = await fails("exponential", { retries: { limit: 3, delay: "1 second" } });
    const linear = await fails("linear", { retries: { limit: 2, delay: 100, backoff: "linear" } });
    const computed = await fails("computed", { retries: { limit: 1, delay: ({ ctx }: any) => ctx.attempt * 50, backoff: "constant" } });
    const never = await step.do("never", async () => { throw new NonRetryableError("stop"); }).catch((error: any) => `${error.name}: ${error.message}`);
    const slow = await step.do("slow", { retries: { limit: 1, delay: 0 }, timeout: 500 }, () => new Promise(() => {})).catch((error: any) => error.message);
    const second = await step.do("second", { retries: { limit: 1, delay: 10 } }, async ({ attempt }: any) => { if (attempt < 2) throw 1; return attempt; });
    return { told, linear, computed, never, slow, second, attempts, times };
  }

  async events(_: any, step: any) {
    const first = await step.waitForEvent("first", { type: "go" });
    this.seen.push(first.payload);
    const both = await Promise.all([step.waitForEvent("a", { type: "go" }), step.waitForEvent("b", { type: "other", timeout: "1 hour" })]);
    const late = await step.waitForEvent("late", { type: "never", timeout: "2 seconds" }).catch((error: any) => error.name);
    return [first.payload, first.timestamp instanceof Date, first.type, ...both.map((event: any) => event.payload), late];
  }

  async controls(_: any, step: any) {
    for (let round = 0; round < 3; round++) {
      await step.do(`round`, () => round);
      await step.waitForEvent("next", { type: "next" });
    }
    return "done";
  }

  async asked(_: any, step: any) {
    this.seen.push(await step.do("first", () => 1));
    await step.waitForEvent("enough", { type: "enough" });
    this.seen.push(await step.do("last", () => this.total));
    return this.seen;
  }
  add(n: number) {
    if (n < 0) throw new RangeError("less than nothing");
    this.total += n;
    return this.total;
  }
  async later() {
    return "later";
  }
  what() {
    return [...this.seen, this.total];
  }

  async wrong(event: any, step: any) {
    const told = async (f: () => unknown) => {
      try {
        return await f();
      } catch (error: any) {
        return `${error.name}: ${error.message}`;
      }
    };
    const big = { retries: { limit: 3, delay: 1 } };
    return [
      await told(() => step.do("", () => 1)),
      await told(() => step.do("x".repeat(257), () => 1)),
      await told(() => step.do("none")),
      await told(() => step.do("option", { retry: 1 }, () => 1)),
      await told(() => step.do("backoff", { retries: { backoff: "fast" } }, () => 1)),
      await told(() => step.sleep("s", "3 fortnights")),
      await told(() => step.sleep("s", "400 days")),
      await told(() => step.waitForEvent("w", { type: "a b" })),
      await told(() => step.do("big", big, () => new Uint8Array(1 << 20))),
      await told(() => step.do("map", big, () => new WeakMap())),
    ];
  }

  async released(event: any, step: any) {
    const release = await (this.env as any).SWITCH.getByName(event.instanceId).get();
    const done: string[] = [];
    const does = (name: string) => step.do(name, () => void done.push(name));
    await does("first");
    if (release === "patched" && step.patched("more")) await does("more");
    // Forgets that there are instances which have passed here.
    if (release === "wrong") await does("more");
    if (release === "shorter") return done;
    if (release === "hanging") await new Promise(() => {});
    // Asked for in another order, and that is no matter.
    const both = release === "patched" ? ["b", "a"] : ["a", "b"];
    await Promise.all(both.map(does));
    await step.waitForEvent("rest", { type: "go" });
    if (release === "patched") step.patched("late");
    await does("last");
    return release === "patched" ? step.patched("more") : null;
  }

  async throws() {
    throw new TypeError("no good");
  }
  async many(_: any, step: any) {
    for (let i = 0; ; i++) await step.do("again", () => i);
  }
  async endless() {
    for (;;);
  }
}

export default { fetch: () => new Response("flows") };
