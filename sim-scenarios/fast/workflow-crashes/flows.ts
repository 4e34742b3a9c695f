// A workflow with everything that a crash may hit. What each step gives is drawn, so that it differs if it runs again.

import { WorkflowEntrypoint } from "cloudflare:workers";
import { always } from "dacapo:sim";

const PATIENT = { retries: { limit: Infinity, delay: 300, backoff: "constant" }, timeout: "2 seconds" } as const;

export class Flow extends WorkflowEntrypoint<any, { days?: number }> {
  added = 0;

  async run(event: any, step: any) {
    const ledger = this.env.LEDGERS.getByName(event.instanceId);
    // Gives what it drew, and tells it to the outside: whoever reads it later must find the same.
    const draw = (name: string) =>
      step.do(name, PATIENT, async () => {
        const drawn = `${name}=${crypto.randomUUID()}`;
        await ledger.note(name);
        return drawn;
      });
    const tell = (name: string, drawn: string) => step.do(name, PATIENT, () => ledger.note(`told ${drawn}`).then(() => {}));
    if (event.payload?.days) return await this.slow(event.payload.days, step, draw);
    const one = await draw("one");
    await tell("tell one", one);
    await step.sleep("rest", "2 seconds");
    await tell("tell one again", one);
    const winner = await Promise.race([draw("left"), draw("right")]);
    await tell("tell the winner", winner);
    const { payload } = await step.waitForEvent("go", { type: "go", timeout: "1 day" });
    await tell("tell the event", `event=${payload}`);
    const all = await Promise.all(["a", "b", "c"].map(draw));
    for (let i = 0; i < 3; i++) await tell("tell all", all[i]);
    const late = await step.waitForEvent("never", { type: "never", timeout: "1 second" }).catch((error: any) => error.name);
    always(late === "WorkflowTimeoutError", "an event that does not come is a timeout");
    return { one, winner, all, payload, added: this.added };
  }

  async slow(days: number, step: any, draw: (name: string) => Promise<string>) {
    const begun = await step.do("begun", () => Date.now());
    await draw("before");
    await step.sleep("days", days * 86_400_000);
    await draw("after");
    return (await step.do("ended", () => Date.now())) - begun;
  }

  add(n: number) {
    return (this.added += n);
  }
}

export default { fetch: () => new Response("flows") };
