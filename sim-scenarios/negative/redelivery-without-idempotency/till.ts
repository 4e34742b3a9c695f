// Takes payments, and leaves it to a queue to have them booked.

interface Env {
  PAYMENTS: Queue<{ amount: number }>;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    await env.PAYMENTS.send({ amount: Number(await request.text()) });
    return new Response("paid");
  },
};
