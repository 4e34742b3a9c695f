// Registers: PUT writes one, GET reads one. Writes go to a primary copy, reads to the one that is near.

const values: Record<string, number> = {};

export default {
  async fetch(request: Request, env: any, ctx: any): Promise<Response> {
    const key = new URL(request.url).pathname;
    if (request.method === "GET") return env.COPY.fetch(`https://copy.internal${key}`);
    const value = await request.text();
    values[key] = Number(value);
    // The planted bug: the writer is told that all is well before the copy has heard of it.
    ctx.waitUntil(env.COPY.fetch(`https://copy.internal${key}`, { method: "PUT", body: value }));
    return new Response(null, { status: 204 });
  },
};
