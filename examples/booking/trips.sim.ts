// Customers book trips, more than there are seats and rooms, and not all of them have the money.

import { always, driver, equal, random, sleep, sometimes } from "dacapo:sim";

const CUSTOMERS = ["ada", "bob"];
const FLIGHTS = ["f1", "f2"];
const HOTELS = ["h1", "h2"];
const PATIENCE_MS = 3_000;

let trips = 0;
const booked: string[] = [];

async function ask(id: string, init: RequestInit): Promise<any> {
  for (;;) {
    try {
      const answer = await fetch(`https://booking.example/trips/${id}`, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.ok) return await answer.json();
    } catch (error) {
      if (error.code === "denied" || error.code === "unknown") throw error;
    }
    await sleep(random.int(50, 500));
  }
}

export const drivers = {
  book: driver(
    async () => {
      const id = `trip-${++trips}`;
      const trip = { customer: random.pick(CUSTOMERS), flight: random.pick(FLIGHTS), hotel: random.pick(HOTELS), price: random.int(50, 200) };
      await ask(id, { method: "POST", body: JSON.stringify(trip) });
      booked.push(id);
    },
    { clients: 3, pause: 700 },
  ),
};

async function holders(env: any, namespace: string, names: string[]): Promise<Set<string>> {
  const all = new Set<string>();
  for (const name of names) {
    const { bookings, held, total } = await env[namespace].getByName(name).holders();
    for (const booking of bookings) all.add(booking);
    always(held <= total, "nothing is given out twice", { name, held, total });
  }
  return all;
}

export const judgments = {
  async "a trip has all that it needs, or nothing"(env: any) {
    const outcome = new Map<string, boolean>();
    for (const id of booked) {
      let trip = await ask(id, {});
      for (let tries = 0; trip.status !== "complete" && tries < 600; tries++) {
        await sleep(1000);
        trip = await ask(id, {});
      }
      equal([trip.status, trip.error], ["complete", undefined], "each trip comes to its end");
      outcome.set(id, trip.output.booked);
      sometimes(!trip.output.booked, "a trip is given up, and what it had is given back");
      sometimes(trip.output.booked, "a trip is booked");
    }
    const wanted = booked.filter((id) => outcome.get(id)).sort();
    equal([...(await holders(env, "flights.Flight", FLIGHTS))].sort(), wanted, "who has a trip has a seat, and nobody else");
    equal([...(await holders(env, "hotels.Hotel", HOTELS))].sort(), wanted, "who has a trip has a room, and nobody else");
    equal([...(await holders(env, "payments.Wallet", CUSTOMERS))].sort(), wanted, "who has a trip has paid, and nobody else");
  },
};
