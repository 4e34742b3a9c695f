// Counts up to a limit that another service knows.

let count = 0;

export default {
  async fetch(request: Request, env: any): Promise<Response> {
    if (request.method !== "POST") return Response.json(count);
    const before = count;
    const answer = await env.LIMITS.fetch("https://limits.internal/");
    const limit = Number(await answer.text());
    // The planted bug: `before` is from the time before the wait.
    count = Math.min(before + 1, limit);
    return Response.json(count);
  },
};
