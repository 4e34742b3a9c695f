// A thousand steps. Each waits for a timer, so that each is recorded by a commit of its own.

import { WorkflowEntrypoint } from "cloudflare:workers";

const STEPS = 1_000;

export class Flow extends WorkflowEntrypoint {
  async run(_event: WorkflowEvent, step: WorkflowStep) {
    let sum = 0;
    for (let i = 0; i < STEPS; i++) {
      sum += await step.do("add", () => new Promise<number>((resolve) => setTimeout(() => resolve(i), 1)));
    }
    return sum;
  }
}

export default { fetch: () => new Response("flows") };
