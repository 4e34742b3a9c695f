// Counts visits, each of them once.

const seen = new Set<string>();

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === "POST") {
      seen.add(request.headers.get("visit") ?? "");
    }
    return new Response(String(seen.size));
  },
};
