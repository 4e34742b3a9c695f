// A copy of registers.

const values: Record<string, number> = {};

export default {
  async fetch(request: Request): Promise<Response> {
    const key = new URL(request.url).pathname;
    if (request.method === "PUT") values[key] = Number(await request.text());
    return Response.json(values[key] ?? null);
  },
};
