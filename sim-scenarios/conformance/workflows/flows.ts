// A workflow with a step that fails at first, a sleep in which it leaves memory, and an event.

import { WorkflowEntrypoint } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";

interface Env {
  FLOWS: Workflow<{ fails?: boolean }>;
}

export class Flow extends WorkflowEntrypoint<Env, { fails?: boolean }> {
  seen: unknown[] = [];

  async run(event: WorkflowEvent<{ fails?: boolean }>, step: WorkflowStep) {
    if (event.payload?.fails) await step.do("fails", () => Promise.reject(new NonRetryableError("on purpose")));
    this.seen.push(step.patched("first"));
    const second = await step.do("tries twice", { retries: { limit: 1, delay: 10 } }, ({ attempt }) => {
      if (attempt === 1) throw new RangeError("not yet");
      return { attempt, bytes: new Uint8Array([1, 2]) };
    });
    this.seen.push([second.attempt, ...second.bytes]);
    const both = await Promise.all(["a", "b"].map((name) => step.do(name, async (ctx) => ctx.step)));
    this.seen.push(both);
    await step.sleep("rest", "1 second");
    const { payload } = await step.waitForEvent<number>("the event", { type: "go", timeout: "1 minute" });
    const late = await step.waitForEvent("late", { type: "never", timeout: 100 }).catch((error) => error.name);
    this.seen.push(payload, late);
    return this.seen;
  }

  what() {
    return this.seen;
  }
  add(n: number) {
    this.seen.push(`added ${n}`);
    return this.seen.length;
  }
}

// POST /ID/METHOD with the arguments as JSON.
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [id, method] = new URL(request.url).pathname.slice(1).split("/");
    const args: any[] = await request.json();
    try {
      if (method === "create") return Response.json((await env.FLOWS.create({ id, params: args[0] })).id);
      const instance: any = await env.FLOWS.get(id);
      return Response.json((await instance[method](...args)) ?? "nothing");
    } catch (error) {
      return Response.json(`${error}`);
    }
  },
};
