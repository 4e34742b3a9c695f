// The version that is there.

interface Env {
  ORDERS: KVNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const key = new URL(request.url).pathname.slice(1);
    if (request.method === "PUT") {
      await env.ORDERS.put(key, JSON.stringify({ amount: Number(await request.text()) }));
      return new Response("taken");
    }
    const order = await env.ORDERS.get<{ amount: number }>(key, "json");
    return order === null ? new Response("no such order", { status: 404 }) : new Response(`${order.amount}`);
  },
};
