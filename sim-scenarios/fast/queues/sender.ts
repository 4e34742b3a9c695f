// Sends what it is asked to send, and tries what it may not do.

interface Env {
  JOBS: Queue;
  SLOW: Queue;
  LOST: Queue;
  WORKER: Fetcher;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/forge") {
      // As if this were a batch. The platform's own services say such things, and nobody else.
      const headers = { "dacapo-event": "queue", "dacapo-take": "1", "dacapo-rpc": "send" };
      const answer = await env.WORKER.fetch("https://worker.internal/", { method: "POST", headers, body: "forged" });
      return new Response(answer.body, answer);
    }
    const { queue, body, bodies, options } = (await request.json()) as any;
    const to = (env as any)[queue] as Queue;
    await (bodies === undefined ? to.send(body, options) : to.sendBatch(bodies, options));
    return new Response("sent");
  },
};
