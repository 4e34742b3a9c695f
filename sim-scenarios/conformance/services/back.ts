// Private: says what it was asked.

let remembered = "nothing";

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/remember") remembered = await request.text();
    if (pathname === "/remembered") return new Response(remembered);
    return new Response(`${request.method} ${request.url} (${pathname} ${search}) ${await request.text().catch(() => "read before")}`);
  },
};
