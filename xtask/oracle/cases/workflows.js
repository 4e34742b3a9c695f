// Workflows. (Beside miniflare, which simulates them on workerd: workerd alone has none.)
import { WorkflowEntrypoint } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export class Steps extends WorkflowEntrypoint {
  async run(event, step) {
    const { payload } = event;
    switch (payload.what) {
      case "steps": {
        const one = await step.do("one", async () => ({ n: 1 }));
        await step.sleep("a moment", 20);
        const two = await step.do("one", async () => one.n + 1);
        return { one, two, id: typeof event.instanceId, when: event.timestamp instanceof Date };
      }
      case "retries": {
        let tries = 0;
        const done = await step.do("flaky", { retries: { limit: 3, delay: 10, backoff: "constant" } }, async () => {
          if (++tries < 3) throw new Error("not yet");
          return tries;
        });
        return done;
      }
      case "fails":
        return step.do("hopeless", { retries: { limit: 1, delay: 10 } }, async () => { throw new RangeError("never"); });
      case "at once":
        return step.do("hopeless", async () => { throw new NonRetryableError("no use"); });
      case "caught":
        try {
          await step.do("hopeless", async () => { throw new NonRetryableError("no use"); });
        } catch (error) {
          return `caught ${error instanceof Error}`;
        }
        return "not caught";
      case "event": {
        const { payload, type } = await step.waitForEvent("somebody", { type: "go", timeout: "1 minute" });
        return [type, payload];
      }
      case "side by side":
        return Promise.all(["a", "b", "c"].map((name) => step.do(name, async () => name)));
      case "nothing":
        return;
      case "long":
        await step.sleep("long", "1 hour");
    }
  }
}

let count = 0;
const id = (what) => `${what.replaceAll(" ", "-")}-${Date.now()}-${++count}`;
const begin = (env, what) => env.STEPS.create({ id: id(what), params: { what } });

async function ended(instance) {
  for (let tries = 0; tries < 100; tries++) {
    const { status } = await instance.status();
    if (["complete", "errored", "terminated"].includes(status)) break;
    await wait(50);
  }
  const { status, output, error } = await instance.status();
  return [status, output ?? null, error === undefined || error === null ? null : typeof error];
}

const outcome = (what) => async ({ env, log }) => {
  log(await ended(await begin(env, what)));
};

export const outside = {
  "steps": outcome("steps"),
  "a step is tried again": outcome("retries"),
  "a step that fails for good fails its instance": outcome("fails"),
  "some errors are not tried again": outcome("at once"),
  "the code may catch what a step throws": outcome("caught"),
  "steps side by side": outcome("side by side"),
  "an instance that returns nothing": outcome("nothing"),
  async "an event"({ env, log }) {
    const instance = await begin(env, "event");
    await wait(300);
    await instance.sendEvent({ type: "go", payload: { n: 1 } });
    log(await ended(instance));
  },
  async "ids"({ env, log, tries }) {
    const one = id("nothing");
    const instance = await env.STEPS.create({ id: one, params: { what: "nothing" } });
    log(instance.id === one);
    await ended(instance);
    await tries("again", async () => (await env.STEPS.create({ id: one, params: { what: "nothing" } })).id === one);
    await tries("none", async () => typeof (await env.STEPS.get("never-made")));
    await tries("bad", async () => typeof (await env.STEPS.create({ id: "with space" })));
    await tries("long", async () => typeof (await env.STEPS.create({ id: "x".repeat(101) })));
    log(typeof (await env.STEPS.create({ params: { what: "nothing" } })).id);
  },
  async "the end"({ env, log }) {
    const instance = await begin(env, "long");
    await wait(300);
    await instance.terminate();
    log(await ended(instance));
  },
};
