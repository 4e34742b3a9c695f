// Keeps sessions: PUT writes one, GET reads one, DELETE ends one.

interface Env {
  SESSIONS: KVNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const key = new URL(request.url).pathname.slice(1);
    if (request.method === "PUT") await env.SESSIONS.put(key, await request.text(), { expirationTtl: 3600 });
    if (request.method === "DELETE") await env.SESSIONS.delete(key);
    return Response.json(await env.SESSIONS.get(key));
  },
};
