import { WorkflowEntrypoint } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";

export class Booking extends WorkflowEntrypoint<any, { price: number }> {
  async run(event: WorkflowEvent<{ price: number }>, step: WorkflowStep) {
    const hold = (what: string, holdings: any, amount: number) =>
      step.do(`hold ${what}`, async () => {
        if (!(await holdings.hold(event.instanceId, amount))) throw new NonRetryableError(`there is no more of ${what}`);
      });
    await hold("a seat", this.env.FLIGHTS.getByName("f1"), 1);
    // Here it is: if this fails, so does the workflow, and the seat stays held.
    await hold("the money", this.env.WALLETS.getByName("ada"), event.payload.price);
  }
}

export default { fetch: () => new Response("trips") };
