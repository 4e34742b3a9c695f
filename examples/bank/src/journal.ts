// The book of what was done: one line for each order, under its key.

import type { Order } from "./order.ts";

interface Entry {
  line: number;
  key: string;
  order: Order;
}

const entries = new Map<string, Entry>();

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === "GET") return Response.json([...entries.values()]);
    const key = decodeURIComponent(new URL(request.url).pathname.slice("/entries/".length));
    const order: Order = await request.json();
    // The line number says what came first. The time of day would not: clocks jump.
    const entry = entries.get(key) ?? { line: entries.size + 1, key, order };
    entries.set(key, entry);
    return Response.json(entry);
  },
};
