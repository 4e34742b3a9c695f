// Answers requests from outside, and asks the private counter which visit this is.

interface Env {
  COUNTER: { fetch(url: string, init?: RequestInit): Promise<Response> };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const name = new URL(request.url).searchParams.get("name") ?? "world";
    // The visit has a name of its own, so that a retry does not count twice.
    const visit = request.headers.get("visit") ?? crypto.randomUUID();
    try {
      const answer = await env.COUNTER.fetch("https://counter.internal/", {
        method: "POST",
        headers: { visit },
        signal: AbortSignal.timeout(2000),
      });
      return Response.json({ hello: name, visits: Number(await answer.text()) });
    } catch {
      return new Response("try again", { status: 503 });
    }
  },
};
