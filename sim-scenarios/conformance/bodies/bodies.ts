// Takes bodies and gives bodies.

const encoder = new TextEncoder();

function stream(chunks: Iterable<Uint8Array>, breaks = false): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { value, done } = iterator.next();
      if (!done) controller.enqueue(value);
      else if (breaks) controller.error(new Error("on purpose"));
      else controller.close();
    },
  });
}

function* lines(count: number) {
  for (let i = 0; i < count; i++) yield encoder.encode(`line ${i}\n`);
}

function* blocks(count: number) {
  for (let i = 0; i < count; i++) yield new Uint8Array(65_536).fill(i);
}

async function digest(bytes: ArrayBuffer | Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export default {
  async fetch(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/digest": {
        const bytes = await request.arrayBuffer();
        return Response.json({ length: bytes.byteLength, sha256: await digest(bytes) });
      }
      case "/count": {
        let length = 0;
        for await (const chunk of request.body ?? []) length += chunk.length;
        return Response.json({ length });
      }
      case "/mirror":
        return new Response(request.body, { headers: { "content-type": request.headers.get("content-type") ?? "none" } });
      case "/upper": {
        const upper = new TransformStream({
          transform: (text: string, controller) => controller.enqueue(text.toUpperCase()),
        });
        const body = request.body!.pipeThrough(new TextDecoderStream()).pipeThrough(upper);
        return new Response(body.pipeThrough(new TextEncoderStream()));
      }
      case "/lines":
        return new Response(stream(lines(5)), { headers: { "content-type": "text/plain" } });
      case "/long":
        return new Response(stream(blocks(32)));
      case "/breaks":
        return new Response(stream(lines(2), true));
      case "/form": {
        const form = await request.formData();
        return Response.json([...form].map(([name, value]) => [name, typeof value === "string" ? value : value.name]));
      }
      default:
        return new Response(null, { status: 404 });
    }
  },
};
