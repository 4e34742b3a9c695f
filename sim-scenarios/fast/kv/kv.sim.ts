// Asks KV for everything that it promises, where nothing fails.

import { always, equal, sleep } from "dacapo:sim";

const failure = (promise: Promise<unknown>) => promise.then(() => null, (error) => error.message);

async function values(kv: any) {
  equal(await kv.get("nothing"), null, "what was never written is null");
  equal(await kv.getWithMetadata("nothing"), { value: null, metadata: null, cacheStatus: null }, "with its metadata");
  await kv.put("text", "žluťoučký 🦄");
  equal(await kv.get("text"), "žluťoučký 🦄", "a text comes back");
  await kv.put("text", "");
  equal(await kv.get("text"), "", "so does an empty one");
  await kv.put("json", JSON.stringify({ a: [1, null] }), { metadata: { by: "me" } });
  equal(await kv.get("json", "json"), { a: [1, null] }, "a value is read as JSON");
  equal((await kv.getWithMetadata("json", { type: "json" })).metadata, { by: "me" }, "metadata comes back");
  const bytes = new Uint8Array([0, 255, 128]);
  await kv.put("bytes", bytes);
  equal(new Uint8Array(await kv.get("bytes", "arrayBuffer")), bytes, "bytes come back");
  equal(new Uint8Array(await new Response(await kv.get("bytes", { type: "stream" })).arrayBuffer()), bytes, "as a stream, too");
  const large = new Uint8Array(3_500_000).map((_, at) => at % 251);
  await kv.put("large", new Response(large).body);
  const back = new Uint8Array(await kv.get("large", "arrayBuffer"));
  always(back.length === large.length && back.every((byte, at) => byte === large[at]), "a large value comes back");
  equal(await kv.get(["text", "nothing"]), new Map([["text", ""], ["nothing", null]]), "several keys are read at once");
  await kv.delete("large");
  await kv.delete("large");
  equal(await kv.get("large"), null, "what was deleted is gone");
}

async function lists(kv: any) {
  const names = ["l/a", "l/b", "l/ž", "l/🦄", "l/ﬁ", "m"];
  for (const name of names) await kv.put(name, name, { metadata: name.length });
  const all = await kv.list({ prefix: "l/" });
  // In the order of their bytes.
  equal(all.keys.map(({ name }: any) => name), ["l/a", "l/b", "l/ž", "l/ﬁ", "l/🦄"], "a list is in order");
  equal([all.list_complete, all.cursor, all.keys[0].metadata], [true, undefined, 3], "and complete");
  const seen: string[] = [];
  for (let cursor: string | undefined, complete = false; !complete; ) {
    const page: any = await kv.list({ prefix: "l/", limit: 2, cursor });
    seen.push(...page.keys.map(({ name }: any) => name));
    ({ cursor, list_complete: complete } = page);
  }
  equal(seen, all.keys.map(({ name }: any) => name), "a list in pages is the same list");
  equal((await kv.list({ prefix: "x" })).keys, [], "what is not there is not listed");
}

async function expiry(kv: any) {
  const now = Math.floor(Date.now() / 1000);
  await kv.put("ttl", "soon gone", { expirationTtl: 90 });
  await kv.put("at", "gone later", { expiration: now + 7200 });
  const [at, ttl] = (await kv.list()).keys.filter(({ name }: any) => name === "ttl" || name === "at");
  equal([at.expiration, ttl.expiration - now <= 91], [now + 7200, true], "a list says when keys expire");
  await sleep(88_000);
  equal(await kv.get("ttl"), "soon gone", "a key is there until it expires");
  await sleep(3_000);
  equal(await kv.get("ttl"), null, "and then it is not");
  always(!(await kv.list()).keys.some(({ name }: any) => name === "ttl"), "nor is it listed");
  await sleep(2 * 3600_000);
  equal(await kv.get("at"), null, "time flies");
  await kv.put("at", "back");
  await sleep(2 * 3600_000);
  equal(await kv.get("at"), "back", "a key without expiry stays");
}

async function refused(kv: any) {
  equal(await failure(kv.put("", "x")), "Key name cannot be empty.", "a key is not empty");
  equal(await failure(kv.put("..", "x")), '".." is not allowed as a key name.', "nor a path");
  const long = "KV PUT failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512.";
  equal(await failure(kv.put("x".repeat(513), "x")), long, "nor too long");
  equal(await failure(kv.put("k", "x", { expirationTtl: 10 })), "KV PUT failed: 400 Invalid expiration_ttl of 10. Expiration TTL must be at least 60.", "it lives for a minute at least");
  equal(await failure(kv.put("k", "x", { metadata: "x".repeat(2000) })), "KV PUT failed: 413 Metadata length of 2002 exceeds limit of 1024.", "its metadata is small");
  equal(await failure(kv.put("k", 5)), "KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.", "a value is text or bytes");
  equal(await failure(kv.put("k", new Uint8Array(26214401))), "KV PUT failed: 413 Value length of 26214401 exceeds limit of 26214400.", "and no larger than that");
  equal(await kv.get("k"), null, "what was refused is not there");
}

export async function setup(env: any) {
  const kv = env["kv.things"];
  await values(kv);
  await lists(kv);
  await expiry(kv);
  await refused(kv);
}
