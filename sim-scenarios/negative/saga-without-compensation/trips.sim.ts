import { always, driver, random, sleep } from "dacapo:sim";

let trips = 0;

export const drivers = {
  book: driver(async (env: any) => {
    await env["booking.Booking"].create({ id: `trip-${++trips}`, params: { price: random.int(10, 30) } });
  }),
};

export const judgments = {
  async "who has a seat has paid"(env: any) {
    await sleep(5000);
    const seats = await env["flights.Flight"].getByName("f1").holders();
    const paid = await env["payments.Wallet"].getByName("ada").holders();
    always(seats.every((trip: string) => paid.includes(trip)), "nobody has a seat who has not paid", { seats, paid });
  },
};
