// The market: a price for each moment.

let price = 100;

export default {
  async fetch(): Promise<Response> {
    price += 1;
    return Response.json({ price });
  },
};
