// The least that a service can be.

export default {
  async fetch(_request: Request): Promise<Response> {
    return new Response("hello");
  },
};
