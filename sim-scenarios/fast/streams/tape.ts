// Passes on what it gets from the source, without keeping it.

export default {
  async fetch(request: Request, env: any): Promise<Response> {
    const answer = await env.SOURCE.fetch(`https://source.internal/${new URL(request.url).search}`);
    return new Response(answer.body);
  },
};
