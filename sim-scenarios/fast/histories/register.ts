// Registers: PUT writes one, GET reads one. One copy holds them all.

export default {
  async fetch(request: Request, env: any): Promise<Response> {
    const key = new URL(request.url).pathname;
    if (request.method === "GET") return env.COPY.fetch(`https://copy.internal${key}`);
    const value = await request.text();
    // Only once the copy has it, which all reads come from, the writer is told.
    await env.COPY.fetch(`https://copy.internal${key}`, { method: "PUT", body: value });
    return new Response(null, { status: 204 });
  },
};
