// A request begins an instance, and is answered when its ten steps are done. Each step calls another service, so
// nothing of it leaves before what came before is on the disk.
import { WorkflowEntrypoint } from "cloudflare:workers";

const STEPS = 10;

export class Flow extends WorkflowEntrypoint {
  #end;
  #done = new Promise((resolve) => (this.#end = resolve));

  async run(_event, step) {
    for (let i = 0; i < STEPS; i++) {
      await step.do("call", async () => (await this.env.WORK.fetch("https://work.internal/")).text());
    }
    this.#end(STEPS);
    // Until who has begun it has heard of it.
    await step.waitForEvent("heard", { type: "heard" });
  }

  done() {
    return this.#done;
  }
}

export default {
  async fetch(_request, env) {
    const instance = await env.FLOWS.create();
    const steps = await instance.update("done");
    await instance.sendEvent({ type: "heard" });
    return new Response(`${steps}`);
  },
};
