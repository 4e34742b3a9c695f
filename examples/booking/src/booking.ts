// Books trips. POST /trips/ID begins one, GET /trips/ID says how it is.

import { WorkflowEntrypoint } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import type { Holdings } from "./holdings.ts";

export interface Trip {
  customer: string;
  flight: string;
  hotel: string;
  price: number;
}

interface Env {
  BOOKINGS: Workflow<Trip>;
  FLIGHTS: DurableObjectNamespace<Holdings>;
  HOTELS: DurableObjectNamespace<Holdings>;
  WALLETS: DurableObjectNamespace<Holdings>;
}

// An answer that is lost is an attempt that failed, though what was asked for may have happened.
const ASK: WorkflowStepConfig = { retries: { limit: 3, delay: 200 }, timeout: "2 seconds" };
// Undoing does not give up.
const UNDO: WorkflowStepConfig = { retries: { limit: Infinity, delay: 500, backoff: "constant" }, timeout: "2 seconds" };

export class Booking extends WorkflowEntrypoint<Env, Trip> {
  confirmed: string[] = [];

  async run(event: WorkflowEvent<Trip>, step: WorkflowStep) {
    const { customer, flight, hotel, price } = event.payload;
    const needs: [string, DurableObjectStub<Holdings>, number][] = [
      ["a seat", this.env.FLIGHTS.getByName(flight), 1],
      ["a room", this.env.HOTELS.getByName(hotel), 1],
      ["the money", this.env.WALLETS.getByName(customer), price],
    ];
    const asked: typeof needs = [];
    try {
      for (const need of needs) {
        const [what, holdings, amount] = need;
        // Before it is tried: a step that has failed may have been carried out all the same.
        asked.push(need);
        await step.do(`hold ${what}`, ASK, async () => {
          const answer = await holdings.hold(event.instanceId, amount);
          if (answer !== "held") throw new NonRetryableError(`there is no more of ${what}`);
        });
        this.confirmed.push(what);
      }
      return { booked: true };
    } catch (error) {
      for (const [what, holdings] of asked.reverse()) {
        await step.do(`give back ${what}`, UNDO, () => holdings.giveBack(event.instanceId));
      }
      return { booked: false, reason: error.message };
    }
  }

  /** What the trip has so far. */
  progress(): string[] {
    return this.confirmed;
  }
}

async function answer(request: Request, env: Env): Promise<Response> {
  const id = new URL(request.url).pathname.slice("/trips/".length);
  if (request.method === "POST") {
    const params: Trip = await request.json();
    // Whoever asks twice, because the first answer was lost, has one trip all the same.
    const [created] = await env.BOOKINGS.createBatch([{ id, params }]);
    return Response.json({ id }, { status: created === undefined ? 200 : 201 });
  }
  const trip = await env.BOOKINGS.get(id);
  return Response.json({ ...(await trip.status()), progress: await trip.query("progress") });
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    try {
      return await answer(request, env);
    } catch (error) {
      return new Response(`${error}\n`, { status: error.message.includes("instance.not_found") ? 404 : 503 });
    }
  },
};
