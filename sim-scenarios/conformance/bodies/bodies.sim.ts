// Sends and reads bodies of all kinds and prints what arrives.

const BASE = "https://bodies.example";
const TEXT = "naïve Ω 日本語 🎼\u0000 end";

async function say(label: string, ask: () => Promise<unknown>) {
  try {
    console.log(`${label}: ${JSON.stringify(await ask())}`);
  } catch (error) {
    console.log(`${label}: ${error.name}`);
  }
}

const post = (path: string, body: BodyInit, headers = {}) => fetch(BASE + path, { method: "POST", body, headers });

function chunks(texts: (string | Uint8Array)[]): ReadableStream {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(typeof text === "string" ? encoder.encode(text) : text);
      controller.close();
    },
  });
}

export async function setup() {
  await say("text", async () => (await post("/mirror", TEXT)).text());
  await say("text, as bytes", async () => [...(await (await post("/mirror", TEXT)).bytes())].length);
  await say("empty", async () => (await post("/digest", "")).json());
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  await say("bytes", async () => {
    const back = new Uint8Array(await (await post("/mirror", bytes)).arrayBuffer());
    return [back.length, back.every((byte, i) => byte === i)];
  });
  await say("type of a string", async () => (await post("/mirror", "x")).headers.get("content-type"));
  await say("type of bytes", async () => (await post("/mirror", bytes)).headers.get("content-type"));
  await say("digest of 1 MiB", async () => (await post("/digest", new Uint8Array(1 << 20).fill(7))).json());
  await say("streamed request", async () => (await post("/digest", chunks(["da ", "capo ", "al fine"]))).json());
  await say("long streamed request", async () => {
    const blocks = Array.from({ length: 24 }, (_, i) => new Uint8Array(50_000).fill(i));
    return (await post("/count", chunks(blocks))).json();
  });
  await say("streamed through", async () => (await post("/upper", chunks(["da ", "capo ", "é"]))).text());
  await say("streamed response", async () => {
    const answer = await fetch(`${BASE}/lines`);
    let text = "";
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) text += chunk;
    return [answer.headers.get("content-type"), text.split("\n")];
  });
  await say("long streamed response", async () => {
    let length = 0;
    let sum = 0;
    for await (const chunk of (await fetch(`${BASE}/long`)).body!) {
      length += chunk.length;
      for (const byte of chunk) sum += byte;
    }
    return [length, sum];
  });
  await say("a response that is left unread", async () => {
    const reader = (await fetch(`${BASE}/long`)).body!.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return value![0];
  });
  await say("a response that breaks off", async () => {
    const answer = await fetch(`${BASE}/breaks`);
    return answer.text();
  });
  await say("form", async () => {
    const form = new FormData();
    form.append("a", "1");
    form.append("a", "zwölf");
    form.append("file", new File(["content"], "f.txt", { type: "text/plain" }));
    return (await post("/form", form)).json();
  });
  await say("after all that", async () => (await post("/digest", "still here")).json());
}
