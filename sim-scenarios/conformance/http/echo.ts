// Says what it was asked, in the way that the path names.

export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/status":
        return new Response(null, { status: Number(url.searchParams.get("code")) });
      case "/headers": {
        const headers = new Headers({ "x-one": "1" });
        headers.append("x-many", "a");
        headers.append("x-many", "b");
        headers.append("set-cookie", "a=1; Path=/");
        headers.append("set-cookie", "b=2");
        headers.set("x-heard", request.headers.get("x-said") ?? "nothing");
        return new Response("see the headers", { headers });
      }
      case "/redirect":
        return Response.redirect(new URL("/echo?redirected", url).href, Number(url.searchParams.get("code")));
      case "/throw":
        throw new Error("on purpose");
      case "/reject":
        return Promise.reject("on purpose, and not even an Error");
      case "/nothing":
        return undefined as any;
      default:
        return Response.json({
          method: request.method,
          url: request.url,
          path: url.pathname,
          search: [...url.searchParams],
          type: request.headers.get("content-type"),
          body: await request.text(),
        });
    }
  },
};
