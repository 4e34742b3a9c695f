// The version that comes: amounts have a currency.

interface Env {
  ORDERS: KVNamespace;
}

type Order = { amount: number } | { price: { amount: number; currency: string } };

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const key = new URL(request.url).pathname.slice(1);
    if (request.method === "PUT") {
      // Here it is: the other version does not know `price`.
      await env.ORDERS.put(key, JSON.stringify({ price: { amount: Number(await request.text()), currency: "EUR" } }));
      return new Response("taken");
    }
    const order = await env.ORDERS.get<Order>(key, "json");
    if (order === null) return new Response("no such order", { status: 404 });
    return new Response(`${"price" in order ? order.price.amount : order.amount}`);
  },
};
