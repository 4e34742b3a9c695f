// Keeps sessions: GET reads one, POST writes one, or ends it with null.

interface Env {
  SESSIONS: KVNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const key = new URL(request.url).pathname.slice(1);
    if (request.method !== "POST") return Response.json(await env.SESSIONS.get(key));
    const value = (await request.json()) as string | null;
    await (value === null ? env.SESSIONS.delete(key) : env.SESSIONS.put(key, value, { expirationTtl: 3600 }));
    return new Response("kept");
  },
};
