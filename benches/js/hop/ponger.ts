// Answers.

export default {
  async fetch(request: Request): Promise<Response> {
    await request.text();
    return new Response("pong");
  },
};
