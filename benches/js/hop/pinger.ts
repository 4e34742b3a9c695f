// Makes ten thousand calls, one after the other, for each request.

const CALLS = 10_000;

export default {
  async fetch(_request: Request, env: any): Promise<Response> {
    for (let call = 0; call < CALLS; call++) {
      const answer = await env.PONGER.fetch("https://ponger.internal/", { method: "POST", body: "ping" });
      if ((await answer.text()) !== "pong") throw new Error("that is no pong");
    }
    return new Response("done");
  },
};
