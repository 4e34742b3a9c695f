// Ships what it is told to, once for each order.

const shipments = new Map<string, { product: string; quantity: number }>();

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === "GET") return Response.json(Object.fromEntries(shipments));
    const order = new URL(request.url).pathname.slice("/shipments/".length);
    const shipment = await request.json();
    if (!shipments.has(order)) shipments.set(order, shipment);
    return new Response("on its way\n");
  },
};
