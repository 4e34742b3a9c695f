// KV namespaces. (Beside miniflare, which simulates them on workerd: workerd alone has none.)
const text = (stream) => new Response(stream).text();

export const outside = {
  async "values come back as what is asked for"({ env, log, tries }) {
    await env.KV.put("v/text", '{"a":[1,"é"]}');
    log(await env.KV.get("v/text"), await env.KV.get("v/text", "json"), await env.KV.get("v/text", { type: "json" }));
    log(new Uint8Array(await env.KV.get("v/text", "arrayBuffer")).length, await text(await env.KV.get("v/text", "stream")));
    await env.KV.put("v/bytes", new Uint8Array([104, 105]));
    await env.KV.put("v/buffer", new Uint8Array([104, 111]).buffer);
    await env.KV.put("v/stream", new Response("streamed").body);
    log(await env.KV.get("v/bytes"), await env.KV.get("v/buffer"), await env.KV.get("v/stream"));
    await env.KV.put("v/empty", "");
    log(await env.KV.get("v/empty"), await env.KV.get("v/none"), await env.KV.get("v/none", "json"), await env.KV.get("v/none", "stream"));
    await tries("no JSON", () => env.KV.get("v/bytes", "json"));
    await tries("no type", () => env.KV.get("v/bytes", "number"));
  },
  async "metadata"({ env, log }) {
    await env.KV.put("m/a", "1", { metadata: { n: [1, null] } });
    await env.KV.put("m/b", "2");
    const strip = ({ value, metadata }) => ({ value, metadata });
    log(strip(await env.KV.getWithMetadata("m/a")), strip(await env.KV.getWithMetadata("m/b")), strip(await env.KV.getWithMetadata("m/c")));
    await env.KV.put("m/a", "3");
    log(strip(await env.KV.getWithMetadata("m/a", "json")));
  },
  async "lists"({ env, log }) {
    for (const key of ["l/b", "l/a", "l/é", "l/B", "l/aa"]) await env.KV.put(key, key, key === "l/a" ? { metadata: 7 } : {});
    const names = ({ keys }) => keys.map(({ name }) => name);
    const all = await env.KV.list({ prefix: "l/" });
    log(names(all), all.list_complete, all.keys.map(({ metadata }) => metadata));
    const first = await env.KV.list({ prefix: "l/", limit: 2 });
    log(names(first), first.list_complete, typeof first.cursor);
    const second = await env.KV.list({ prefix: "l/", limit: 2, cursor: first.cursor });
    const third = await env.KV.list({ prefix: "l/", limit: 2, cursor: second.cursor });
    log(names(second), second.list_complete, names(third), third.list_complete);
    log(names(await env.KV.list({ prefix: "nothing/" })));
  },
  async "what is deleted is gone"({ env, log }) {
    await env.KV.put("d/a", "1");
    log(await env.KV.delete("d/a"), await env.KV.get("d/a"), await env.KV.delete("d/never"));
  },
  async "several at once"({ env, log }) {
    await env.KV.put("s/a", "1");
    await env.KV.put("s/b", "[2]");
    log(await env.KV.get(["s/b", "s/none", "s/a"]), await env.KV.get(["s/a", "s/b"], "json"));
  },
  async "expiry"({ env, log, tries }) {
    const now = Math.floor(Date.now() / 1000);
    await env.KV.put("e/a", "1", { expirationTtl: 3600 });
    await env.KV.put("e/b", "1", { expiration: now + 7200 });
    const { keys } = await env.KV.list({ prefix: "e/" });
    log(keys.map(({ name, expiration }) => [name, Math.round((expiration - now) / 60)]));
    await tries("too soon", () => env.KV.put("e/c", "1", { expirationTtl: 59 }));
    await tries("past", () => env.KV.put("e/c", "1", { expiration: now - 10 }));
    await tries("no number", () => env.KV.put("e/c", "1", { expirationTtl: "soon" }));
    log(await env.KV.get("e/c"));
  },
  async "mistakes"({ env, tries }) {
    await tries("no key", () => env.KV.get(""));
    await tries("dot", () => env.KV.get("."));
    await tries("dots", () => env.KV.put("..", "1"));
    await tries("long", () => env.KV.put("k".repeat(513), "1"));
    await tries("just fits", () => env.KV.put("k".repeat(512), "1"));
    await tries("metadata", () => env.KV.put("k", "1", { metadata: "m".repeat(1100) }));
    await tries("limit", async () => (await env.KV.list({ limit: 0 })).keys.length > 0);
    await tries("too many", () => env.KV.get(Array.from({ length: 101 }, (_, n) => `k${n}`)));
  },
};
