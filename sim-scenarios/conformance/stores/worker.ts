// Sends messages to itself, and writes what comes of them to KV.

interface Env {
  JOBS: Queue<{ n: number; bad?: boolean; when: Date }>;
  THINGS: KVNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/send") {
      const when = new Date(0);
      await env.JOBS.sendBatch([1, 2, 3].map((n) => ({ body: { n, when } })));
      await env.JOBS.send({ n: 4, bad: true, when });
      return new Response("sent");
    }
    if (pathname === "/forged") {
      const fields = ["dacapo-event", "dacapo-take"].filter((name) => request.headers.has(name));
      return Response.json(fields);
    }
    const { keys, list_complete } = await env.THINGS.list({ prefix: "jobs/" });
    const values = await Promise.all(keys.map(async ({ name, metadata }) => [name, await env.THINGS.get(name), metadata]));
    return Response.json({ values, list_complete });
  },

  async queue(batch: MessageBatch<{ n: number; bad?: boolean; when: Date }>, env: Env): Promise<void> {
    for (const { body, attempts } of batch.messages) {
      const text = `${batch.messages.length} at once, from ${body.when.toISOString()}`;
      await env.THINGS.put(`jobs/${body.n}/${batch.queue}/${attempts}`, text, { metadata: { attempts } });
    }
    if (batch.queue === "jobs" && batch.messages.some((message) => message.body.bad)) throw new Error("bad");
  },
};
