// A service that calls the objects of another.

export default {
  async fetch(request: Request, env: any): Promise<Response> {
    const name = new URL(request.url).pathname.slice(1);
    const stub = env.THINGS.getByName(name);
    if (request.method === "POST") {
      // Straight through, as streams.
      return stub.fetch("https://thing.internal/through", { method: "POST", body: request.body });
    }
    const bindings = Object.keys(env).sort();
    return Response.json({ bindings, echo: await stub.echo(name), id: stub.id.toString(), name: stub.name });
  },
};
