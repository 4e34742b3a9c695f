// Gives bytes that count up, in chunks, as fast as they are taken.

export default {
  async fetch(request: Request): Promise<Response> {
    let left = Number(new URL(request.url).searchParams.get("bytes"));
    let next = 0;
    const body = new ReadableStream({
      pull(controller) {
        const chunk = new Uint8Array(Math.min(left, 16_384));
        for (let i = 0; i < chunk.length; i++) chunk[i] = next++;
        left -= chunk.length;
        if (chunk.length > 0) controller.enqueue(chunk);
        if (left === 0) controller.close();
      },
    });
    return new Response(body);
  },
};
