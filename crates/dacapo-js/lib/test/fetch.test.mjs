// fetch between services: what callers and handlers see of each other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster, WINDOW } from "./cluster.mjs";

// A cluster of a caller and of a service "bank" whose handler is the given source text.
function pair(handler) {
  const cluster = new Cluster();
  const bank = cluster.start("bank", (g, sim, it) => ({ default: { fetch: it.eval(`(${handler})`) } }));
  const caller = cluster.start("caller", () => ({}), { bindings: { BANK: "bank" } });
  caller.global.env = caller.lib.env;
  return { cluster, bank, caller, run: (source) => cluster.run(caller.async(source)) };
}

test("a body, a status and headers arrive as they were sent", async () => {
  const { run } = pair(`async (request) => new Response(
    [request.method, request.url, request.headers.get("x-a"), await request.text()].join("|"),
    { status: 201, headers: { "X-B": "2" } })`);
  const got = await run(`
    const response = await fetch("https://bank.internal/p?q#frag", { method: "post", body: "hällo", headers: { "X-A": "1" } });
    return JSON.stringify([response.status, response.ok, response.url, response.headers.get("x-b"), await response.text()]);`);
  assert.deepEqual(JSON.parse(got), [
    201, true, "https://bank.internal/p?q#frag", "2", "POST|https://bank.internal/p?q|1|hällo",
  ]);
});

test("the content type follows from the kind of the body", async () => {
  const { run } = pair(`async (request) => new Response(request.headers.get("content-type") ?? "none")`);
  const types = await run(`
    const form = new FormData(); form.append("a", "b");
    const bodies = ["text", new URLSearchParams("a=1"), new Uint8Array(1), new Blob(["x"], { type: "image/png" }), form];
    const types = [];
    for (const body of bodies) types.push(await (await env.BANK.fetch("https://x/", { method: "POST", body })).text());
    return types.join(" ");`);
  assert.match(
    types,
    /^text\/plain;charset=UTF-8 application\/x-www-form-urlencoded;charset=UTF-8 none image\/png multipart\/form-data; boundary=\S+$/,
  );
});

test("a form with a file crosses the wire", async () => {
  const { run } = pair(`async (request) => {
    const form = await request.formData();
    const file = form.get("file");
    return Response.json([...form.keys(), form.get("a"), file.name, file.type, await file.text()]);
  }`);
  const got = await run(`
    const form = new FormData();
    form.append('a"b', "q");
    form.append("a", "line\\nline");
    form.append("file", new File(["\\r\\n--content--\\r\\n"], "f.txt", { type: "text/x" }));
    const response = await fetch("https://bank.internal/", { method: "PUT", body: form });
    return JSON.stringify(await response.json());`);
  assert.deepEqual(JSON.parse(got), ['a"b', "a", "file", "line\r\nline", "f.txt", "text/x", "\r\n--content--\r\n"]);
});

test("a handler that throws, rejects or gives no Response answers 500 and logs", async () => {
  for (const [handler, pattern] of [
    [`() => { throw new Error("sync boom") }`, /sync boom/],
    [`async () => { throw new Error("async boom") }`, /async boom/],
    [`() => "text"`, /'text' instead of a Response/],
    [`() => Response.error()`, /Response\.error/],
    [`async () => { const r = new Response("a"); await r.text(); return r; }`, /read already/],
  ]) {
    const { run, bank } = pair(handler);
    const got = await run(`const r = await fetch("https://bank.internal/"); return r.status + (await r.text());`);
    assert.equal(got, "500Internal Server Error\n");
    assert.match(bank.lines.map(([level, text]) => `${level} ${text}`).join("\n"), pattern);
    assert.equal(bank.lines[0][0], 3);
    assert.equal(bank.busy, 0);
  }
});

test("a failed call rejects with a TypeError that has a code", async () => {
  const { run, bank } = pair(`() => new Response("x")`);
  bank.down = true;
  const got = await run(`
    try { await fetch("https://bank.internal/"); } catch (error) { return [error instanceof TypeError, error.code, error.message].join("|"); }`);
  assert.equal(got, "true|refused|fetch failed: connection refused (refused)");
});

test("bad arguments of fetch reject", async () => {
  const { run } = pair(`() => new Response("x")`);
  for (const [call, pattern] of [
    [`fetch("/relative")`, /must be absolute/],
    [`fetch("https://u:p@bank.internal/")`, /credentials/],
    [`fetch("https://bank.internal/", { body: "x" })`, /GET request cannot have a body/],
    [`fetch("https://bank.internal/", { method: "a b" })`, /not a valid HTTP method/],
    [`fetch("https://bank.internal/", { method: "TRACE" })`, /cannot be used/],
    [`fetch("https://bank.internal/", { headers: { "a b": "1" } })`, /Invalid header name/],
    [`fetch("https://bank.internal/", { headers: { a: "1\\n2" } })`, /Invalid value of header a/],
    [`fetch("https://bank.internal/", { redirect: "maybe" })`, /follow, error, manual/],
    [`fetch("https://bank.internal/", { signal: {} })`, /not an AbortSignal/],
    [`fetch("ftp://bank.internal/")`, /neither an http/],
    [`fetch()`, /required/],
  ]) {
    const got = await run(`try { await ${call}; return "no error" } catch (error) { return error.name + ": " + error.message }`);
    assert.match(got, pattern, call);
    assert.match(got, /^TypeError/, call);
  }
});

test("redirects are followed, and lose the body and the secrets where they must", async () => {
  const { run, cluster } = pair(`async (request) => {
    const { pathname } = new URL(request.url);
    const to = (status, location) => new Response(null, { status, headers: { location } });
    if (pathname === "/303") return to(303, "/end");
    if (pathname === "/307") return to(307, "/end");
    if (pathname === "/loop") return to(302, "/loop");
    if (pathname === "/other") return to(302, "https://elsewhere.internal/end");
    return new Response([request.method, await request.text(), request.headers.get("content-type"), request.headers.get("authorization")].join("|"));
  }`);
  cluster.start("elsewhere", (g) => ({ default: { fetch: (r) => new g.Response(`elsewhere ${r.headers.get("authorization")}`) } }));
  const post = (path) => run(`
    const r = await fetch("https://bank.internal${path}", { method: "POST", body: "b", headers: { authorization: "s" } });
    return [r.redirected, r.url, await r.text()].join(" ");`);
  assert.equal(await post("/303"), "true https://bank.internal/end GET|||s");
  assert.equal(await post("/307"), "true https://bank.internal/end POST|b|text/plain;charset=UTF-8|s");
  assert.equal(await post("/other"), "true https://elsewhere.internal/end elsewhere null");
  assert.equal(
    await run(`return fetch("https://bank.internal/loop").catch((e) => e.message)`),
    "fetch failed: more than 20 redirects, lastly to /loop",
  );
  assert.equal(await run(`return (await fetch("https://bank.internal/loop", { redirect: "manual" })).status`), 302);
  assert.match(
    await run(`return fetch("https://bank.internal/loop", { redirect: "error" }).catch((e) => e.message)`),
    /redirects are an error here/,
  );
});

test("an abort rejects the fetch, cancels the call and reaches the handler", async () => {
  const { run, bank, cluster } = pair(`(request) => new Promise(() => {
    request.signal.addEventListener("abort", () => console.log("gone", request.signal.reason.name));
  })`);
  const got = await run(`
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    return fetch("https://bank.internal/", { signal: controller.signal }).catch((e) => e.name);`);
  assert.equal(got, "AbortError");
  await cluster.run();
  assert.deepEqual(bank.lines, [[1, "gone AbortError"]]);
  assert.equal(bank.busy, 0);
});

test("a timeout that was not needed leaves no timer behind", async () => {
  const { run, cluster } = pair(`() => new Response("x")`);
  assert.equal(await run(`return (await fetch("https://bank.internal/", { signal: AbortSignal.timeout(1000) })).text()`), "x");
  assert.equal(cluster.timers.length, 0);
  const late = await run(`
    const signal = AbortSignal.timeout(10);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return [signal.aborted, signal.reason.name].join()`);
  assert.equal(late, "true,TimeoutError");
});

test("a timeout ends a fetch that hangs", async () => {
  const { run, bank, cluster } = pair(`() => new Response("x")`);
  bank.hangs = true;
  const got = await run(`return fetch("https://bank.internal/", { signal: AbortSignal.timeout(250) }).catch((e) => e.name)`);
  assert.equal(got, "TimeoutError");
  assert.equal(cluster.now, 250);
});

test("a streamed response is never more than the window ahead of its reader", async () => {
  const { run, bank } = pair(`() => {
    let n = 0;
    return new Response(new ReadableStream({
      pull(controller) {
        if (n++ === 32) return controller.close();
        controller.enqueue(new Uint8Array(64 * 1024).fill(n));
      },
    }));
  }`);
  const first = await run(`
    globalThis.response = await fetch("https://bank.internal/");
    globalThis.reader = response.body.getReader();
    const { value } = await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return value.length;`);
  assert.equal(first, 64 * 1024);
  assert.ok(bank.sent >= WINDOW && bank.sent <= WINDOW + 128 * 1024, `sent ${bank.sent}`);
  const rest = await run(`
    let total = 0;
    for (;;) { const { done, value } = await reader.read(); if (done) return total; total += value.length; }`);
  assert.equal(rest, 31 * 64 * 1024);
  assert.equal(bank.busy, 0);
});

test("a chunk larger than the window is cut and arrives whole", async () => {
  const { run } = pair(`async (request) => {
    const bytes = await request.bytes();
    return new Response(String(bytes.length) + " " + bytes[bytes.length - 1]);
  }`);
  const got = await run(`
    const body = new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1_000_000).fill(7)); c.close(); } });
    return (await fetch("https://bank.internal/", { method: "POST", body, duplex: "half" })).text();`);
  assert.equal(got, "1000000 7");
});

test("a proxy passes bodies on in both directions", async () => {
  const { cluster } = pair(`async (request) => new Response(request.body.pipeThrough(new TransformStream()))`);
  const proxy = cluster.start("proxy", (g, sim, it) => ({
    default: { fetch: it.eval(`(request, env) => env.BANK.fetch(request)`) },
  }), { bindings: { BANK: "bank" } });
  const user = cluster.start("user", () => ({}));
  const got = await cluster.run(user.async(`
    let n = 0;
    const body = new ReadableStream({ pull(c) { if (n++ === 20) c.close(); else c.enqueue(new Uint8Array(50_000)); } });
    const response = await fetch("https://proxy.internal/", { method: "POST", body });
    return (await response.arrayBuffer()).byteLength;`));
  assert.equal(got, 1_000_000);
  await cluster.run();
  assert.equal(proxy.busy, 0);
});

test("a stream that fails breaks the body for its reader", async () => {
  const { run } = pair(`() => new Response(new ReadableStream({
    pull(c) { if (this.n) throw new Error("disk on fire"); this.n = 1; c.enqueue(new Uint8Array(3)); },
  }))`);
  const got = await run(`
    const response = await fetch("https://bank.internal/");
    return response.text().catch((e) => [e.name, e.code, e.message].join("|"));`);
  assert.equal(got, "TypeError|reset|the body broke off: Error: disk on fire");
});

test("a reader that loses interest cancels the sender's stream", async () => {
  const { run, bank, cluster } = pair(`() => new Response(new ReadableStream({
    pull(c) { c.enqueue(new Uint8Array(200_000)); },
    cancel(reason) { console.log("cancelled", reason.name); },
  }))`);
  await run(`const r = await fetch("https://bank.internal/"); await r.body.cancel();`);
  await cluster.run();
  assert.deepEqual(bank.lines, [[1, "cancelled AbortError"]]);
  assert.equal(bank.busy, 0);
});

test("an unread request body does not keep its sender waiting", async () => {
  const { run, caller, cluster } = pair(`() => new Response("early")`);
  const got = await run(`
    globalThis.n = 0;
    const body = new ReadableStream({ pull(c) { if (n++ === 20) c.close(); else c.enqueue(new Uint8Array(100_000)); } });
    return (await fetch("https://bank.internal/", { method: "POST", body })).text();`);
  assert.equal(got, "early");
  await cluster.run();
  assert.equal(caller.sent, 2_000_000);
});

test("clones read the same, whole or streamed", async () => {
  const { run } = pair(`(r) => new URL(r.url).pathname === "/s"
    ? new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("streamed")); c.close(); } }))
    : new Response("whole")`);
  for (const path of ["s", "w"]) {
    const got = await run(`
      const a = await fetch("https://bank.internal/${path}");
      const b = a.clone();
      return [await a.text(), await b.text(), a.bodyUsed, b.bodyUsed].join()`);
    assert.equal(got, path === "s" ? "streamed,streamed,true,true" : "whole,whole,true,true");
  }
});

test("HEAD gets the headers only", async () => {
  const { run } = pair(`() => new Response("text", { headers: { "x-a": "1" } })`);
  const got = await run(`
    const r = await fetch("https://bank.internal/", { method: "HEAD" });
    return [r.body, r.headers.get("x-a"), await r.text()].join("|")`);
  assert.equal(got, "|1|");
});

test("waitUntil keeps the service busy, and its rejection is logged", async () => {
  const { run, bank, cluster } = pair(`(request, env, ctx) => {
    ctx.passThroughOnException();
    ctx.waitUntil(new Promise((resolve, reject) => setTimeout(() => reject(new Error("late")), 100)));
    return new Response("ok");
  }`);
  await run(`await fetch("https://bank.internal/")`);
  assert.equal(bank.busy, 1);
  await cluster.run();
  assert.equal(bank.busy, 0);
  assert.match(bank.lines[0][1], /waitUntil was rejected: Error: late/);
});

test("scheduled runs with its controller", async () => {
  const cluster = new Cluster();
  const it = cluster.start("s", (g, sim, me) => ({
    default: { scheduled: me.eval(`async (c, env) => { console.log(c.cron, c.scheduledTime, env.V); throw new Error("x") }`) },
  }), { vars: { V: 1 } });
  cluster.post(it, "scheduled", "* * * * *", 5);
  await cluster.run();
  assert.equal(it.lines[0][1], "* * * * * 5 1");
  assert.match(it.lines[1][1], /scheduled \(\* \* \* \* \*\) failed: Error: x/);
  assert.equal(it.busy, 0);
});

test("a body that a framework wraps again stays whole", async () => {
  const { cluster } = pair(`() => new Response("x")`);
  const it = cluster.start("wrap", (g, sim, me) => ({ default: { fetch: me.eval(`async (request) => {
    const inner = new Response("whole", { headers: { a: "1" } });
    const outer = new Response(inner.body, inner);
    if (request.method === "PUT") console.log(await outer.clone().text(), inner.bodyUsed);
    globalThis.inner = inner;
    return outer;
  }`) } }));
  const got = await cluster.run(cluster.request("wrap", "PUT", "https://wrap.internal/"));
  assert.deepEqual(got, { status: 200, headers: ["a", "1", "content-type", "text/plain;charset=UTF-8"], body: "whole" });
  assert.equal(it.eval("inner.bodyUsed && inner.body.locked"), true);
  assert.deepEqual(it.lines, [[1, "whole false"]]);
});

test("an empty body is an empty stream, also for a reader with its own buffer", async () => {
  const { run } = pair(`() => new Response("")`);
  const got = await run(`
    const a = await fetch("https://bank.internal/");
    const first = await a.body.getReader({ mode: "byob" }).read(new Uint8Array(4));
    const b = (await fetch("https://bank.internal/")).body;
    let n = 0; for await (const chunk of b) n++;
    return [first.done, n].join()`);
  assert.equal(got, "true,0");
});
