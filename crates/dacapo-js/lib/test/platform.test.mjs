// The web platform within one instance.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "./cluster.mjs";

function instance() {
  const cluster = new Cluster();
  const it = cluster.start("it", () => ({}));
  // The value of an async function's body, through JSON.
  const run = async (source) => {
    const text = await cluster.run(it.async(`return JSON.stringify(await (async () => { ${source} })())`));
    return text === undefined ? undefined : JSON.parse(text);
  };
  return { cluster, it, run };
}

// The name and message of what `source` throws or rejects with.
const thrown = (run, source) => run(`try { await (async () => { ${source} })(); return null } catch (e) { return e.name + ": " + e.message }`);

test("every name that is promised is there, and none of them is enumerable", async () => {
  const { run } = instance();
  const names = `AbortController AbortSignal Blob ByteLengthQueuingStrategy CountQueuingStrategy Crypto CustomEvent
    DOMException ErrorEvent Event EventTarget File FinalizationRegistry FormData Headers MessageEvent Performance
    PromiseRejectionEvent ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest
    ReadableStreamDefaultController ReadableStreamDefaultReader Request Response SubtleCrypto TextDecoder
    TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLSearchParams
    WeakRef WritableStream WritableStreamDefaultController WritableStreamDefaultWriter addEventListener atob btoa
    clearInterval clearTimeout console crypto dispatchEvent fetch navigator performance queueMicrotask
    removeEventListener reportError self setInterval setTimeout structuredClone`.split(/\s+/);
  const missing = await run(`return ${JSON.stringify(names)}.filter((name) => !(name in globalThis) ||
    Object.getOwnPropertyDescriptor(globalThis, name).enumerable)`);
  assert.deepEqual(missing, []);
});

test("Headers combine, sort, validate, and keep cookies apart", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const h = new Headers([["B", "1"], ["a", " x "], ["b", "2"], ["Set-Cookie", "c=1, x"], ["set-cookie", "d"]]);
      h.append("C", "3"); h.set("b", "4"); h.delete("c");
      return [[...h], h.get("B"), h.get("zz"), h.has("A"), h.getSetCookie(), [...new Headers(h).keys()], new Headers({ q: 1 }).get("q")]`),
    [
      [["a", "x"], ["b", "4"], ["set-cookie", "c=1, x"], ["set-cookie", "d"]],
      "4", null, true, ["c=1, x", "d"], ["a", "b", "set-cookie", "set-cookie"], "1",
    ],
  );
  assert.match(await thrown(run, `new Headers({ "": "1" })`), /^TypeError: Invalid header name/);
  assert.match(await thrown(run, `new Headers({ a: "\\u0100" })`), /^TypeError: Invalid value/);
  assert.match(await thrown(run, `new Headers([["a"]])`), /a name and a value/);
});

test("Request follows the Fetch standard", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const a = new Request("https://h/p", { method: "post", body: "x", headers: { k: "v" } });
      const b = new Request(a, { headers: { l: "w" } });
      const c = b.clone();
      return [a.method, a.bodyUsed, b.bodyUsed, b.headers.get("k"), b.headers.get("l"), await b.text(), await c.text(),
        b.bodyUsed, new Request("https://H:443/a b").url, new Request("https://h", { method: "patch" }).method]`),
    ["POST", true, false, null, "w", "x", "x", true, "https://h/a%20b", "patch"],
  );
  assert.match(
    await thrown(run, `const r = new Request("https://h/", { method: "POST", body: "x" }); await r.text(); await r.json()`),
    /^TypeError: The body has been read/,
  );
  assert.match(await thrown(run, `new Request("https://h", { method: "GET", body: "" })`), /cannot have a body/);
});

test("Response follows the Fetch standard", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const json = Response.json({ a: 1 }, { status: 202, headers: { x: "1" } });
      const moved = Response.redirect("https://h/x", 307);
      const stream = new Response("abc").body;
      const chunks = []; for await (const chunk of stream) chunks.push(...chunk);
      return [json.status, json.headers.get("content-type"), await json.json(), moved.status, moved.headers.get("location"),
        Response.error().type, new Response().body, chunks, (await new Response(new Uint8Array([1, 2])).arrayBuffer()).byteLength,
        (await new Response("x", { headers: { "content-type": "A/b" } }).blob()).type, await new Response("\\ufeffx").text()]`),
    [202, "application/json", { a: 1 }, 307, "https://h/x", "error", null, [97, 98, 99], 2, "a/b", "x"],
  );
  assert.match(await thrown(run, `new Response("x", { status: 204 })`), /status 204 cannot have a body/);
  assert.match(await thrown(run, `new Response("x", { status: 99 })`), /^RangeError/);
  assert.match(await thrown(run, `Response.redirect("https://h", 200)`), /^RangeError/);
  assert.match(await thrown(run, `Response.json(undefined)`), /^TypeError/);
  assert.match(await thrown(run, `await new Response("{").json()`), /^SyntaxError/);
});

test("what a guest does to bytes afterwards does not change a body", async () => {
  const { run } = instance();
  assert.equal(await run(`const b = new Uint8Array([65]); const r = new Response(b); b[0] = 66; return r.text()`), "A");
  assert.deepEqual(
    await run(`
      const a = new Response(new Uint8Array([1])); const b = a.clone();
      (await a.bytes())[0] = 9; return [...await b.bytes()]`),
    [1],
  );
});

test("a URL and its search parameters follow each other", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const u = new URL("../b?x=1#h", "https://user@h:8080/a/c");
      const p = u.searchParams; p.append("y", "ä b"); u.hash = ""; u.port = "443";
      const first = [u.href, p.get("x")];
      u.search = "?z=9";
      return [first, p.toString(), p.size, URL.canParse("nope"), URL.parse("nope"), JSON.stringify(u), u.origin]`),
    [
      ["https://user@h/b?x=1&y=%C3%A4+b", "1"], "z=9", 1, false, null, '"https://user@h/b?z=9"', "https://h",
    ],
  );
  assert.deepEqual(
    await run(`
      const p = new URLSearchParams([["b", "1"], ["a", "2"], ["b", "3"]]); p.sort();
      return [p.toString(), p.getAll("b"), [...new URLSearchParams({ k: "v" })], p.has("b", "3"), new URLSearchParams("?q=%20").get("q")]`),
    ["a=2&b=1&b=3", ["1", "3"], [["k", "v"]], true, " "],
  );
  assert.match(await thrown(run, `new URL("nope")`), /^TypeError: Invalid URL: 'nope'/);
});

test("events reach their listeners in order, once, and until removed", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const seen = []; const target = new EventTarget(); const gone = () => seen.push("gone");
      target.addEventListener("e", (e) => seen.push(["first", e.target === target, e.detail]), { once: true });
      target.addEventListener("e", { handleEvent() { seen.push("object") } });
      target.addEventListener("e", gone); target.removeEventListener("e", gone);
      const c = new AbortController(); target.addEventListener("e", gone, { signal: c.signal }); c.abort();
      target.addEventListener("e", (e) => { e.preventDefault(); e.stopImmediatePropagation(); });
      target.addEventListener("e", gone);
      const results = [target.dispatchEvent(new CustomEvent("e", { cancelable: true, detail: 7 })), target.dispatchEvent(new Event("e"))];
      return [seen, results]`),
    [[["first", true, 7], "object", "object"], [false, true]],
  );
});

test("the global object is told of errors and of rejections", async () => {
  const { it, run, cluster } = instance();
  await run(`setTimeout(() => { throw new Error("one") }, 1); await new Promise((r) => setTimeout(r, 5))`);
  assert.match(it.lines[0][1], /^Uncaught Error: one/);
  assert.deepEqual(
    await run(`
      const seen = [];
      globalThis.onerror = (message, file, line, column, error) => { seen.push(message, error.message); return true };
      addEventListener("unhandledrejection", (e) => { e.preventDefault(); seen.push(e.reason) });
      globalThis.seen = seen;
      reportError(new Error("two"));
      return seen`),
    ["Uncaught Error: two", "two"],
  );
  it.lib.handlers.rejection(it.eval("Promise.resolve()"), "why", false);
  assert.deepEqual(JSON.parse(it.eval("JSON.stringify(seen)")).at(-1), "why");
  assert.equal(it.lines.length, 1);
  await cluster.run();
});

test("AbortSignal.any and timeout abort with the first reason", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const c = new AbortController();
      const any = AbortSignal.any([c.signal, AbortSignal.timeout(50)]);
      let events = 0; any.onabort = () => events++;
      await new Promise((r) => setTimeout(r, 60));
      c.abort("late");
      return [any.aborted, any.reason.name, events, AbortSignal.abort("x").reason, AbortSignal.any([c.signal]).reason]`),
    [true, "TimeoutError", 1, "x", "late"],
  );
  assert.match(await thrown(run, `AbortSignal.abort().throwIfAborted()`), /^AbortError/);
  assert.match(await thrown(run, `new AbortSignal()`), /^TypeError: Illegal constructor/);
});

test("timers fire in order, repeat, and can be cleared", async () => {
  const { run, cluster } = instance();
  assert.deepEqual(
    await run(`
      const seen = []; const start = performance.now();
      setTimeout((a, b) => seen.push(a + b, performance.now() - start), 30, 1, 2);
      const never = setTimeout(() => seen.push("never"), 10); clearTimeout(never);
      const every = setInterval(() => { seen.push("tick"); if (seen.length === 2) clearInterval(every) }, 10);
      await new Promise((r) => setTimeout(r, 100));
      return seen`),
    ["tick", "tick", 3, 30],
  );
  assert.equal(cluster.timers.length, 0);
});

test("text is encoded and decoded, also in pieces", async () => {
  const { run, it } = instance();
  assert.deepEqual(
    await run(`
      const d = new TextDecoder(); const e = new TextEncoder();
      const euro = e.encode("€");
      const parts = [d.decode(euro.subarray(0, 1), { stream: true }), d.decode(euro.subarray(1))];
      const into = new Uint8Array(4);
      const stream = new Blob(["a€b"]).stream().pipeThrough(new TextDecoderStream());
      let text = ""; for await (const piece of stream) text += piece;
      return [parts, e.encodeInto("a€€", into), new TextDecoder("latin1").encoding, text, new TextDecoder().decode(new Uint8Array([0xff]))]`),
    [["", "€"], { read: 2, written: 4 }, "windows-1252", "a€b", "\ufffd"],
  );
  assert.match(await thrown(run, `new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff]))`), /^TypeError/);
  assert.match(await thrown(run, `new TextDecoder("klingon")`), /^RangeError/);
  const before = it.decoders.length;
  await run(`for (let i = 0; i < 100; i++) new TextDecoder().decode(new Uint8Array([65]))`);
  assert.ok(it.decoders.length - before <= 1, "decoders are used again");
});

test("base64 goes both ways and refuses what is not", async () => {
  const { run } = instance();
  assert.deepEqual(await run(`return [btoa("a"), btoa("ÿab"), atob(" YQ = ="), atob("YWI"), btoa("")]`), ["YQ==", "/2Fi", "a", "ab", ""]);
  assert.match(await thrown(run, `btoa("€")`), /^InvalidCharacterError/);
  assert.match(await thrown(run, `atob("a")`), /^InvalidCharacterError/);
  assert.match(await thrown(run, `atob("a=bc")`), /^InvalidCharacterError/);
});

test("random values, UUIDs and digests", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
      return [crypto.randomUUID().length, crypto.getRandomValues(new Uint32Array(2)).length,
        hex(await crypto.subtle.digest("sha-1", new TextEncoder().encode("abc")))]`),
    [36, 2, "a9993e364706816aba3e25717850c26c9cd0d89d"],
  );
  assert.match(await thrown(run, `crypto.getRandomValues(new Float32Array(1))`), /^TypeMismatchError/);
  assert.match(await thrown(run, `crypto.getRandomValues(new Uint8Array(70000))`), /^QuotaExceededError/);
  assert.match(await thrown(run, `await crypto.subtle.digest("MD5", new Uint8Array())`), /^NotSupportedError/);
});

test("structuredClone copies, and refuses what cannot be copied", async () => {
  const { run } = instance();
  assert.deepEqual(await run(`const a = { b: [1], d: new Date(0) }; const c = structuredClone(a); a.b.push(2); return [c.b, c.d]`), [
    [1], "1970-01-01T00:00:00.000Z",
  ]);
  assert.match(await thrown(run, `structuredClone(() => 1)`), /^DataCloneError/);
  assert.match(await thrown(run, `structuredClone(new Headers())`), /^DataCloneError/);
  assert.equal(await run(`return structuredClone(new Blob(["x"])).text()`), "x");
});

test("weak references hold, and registries never call back", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const token = {}; const registry = new FinalizationRegistry(() => { throw 1 });
      registry.register({}, 1, token);
      return [new WeakRef(token).deref() === token, registry.unregister(token), registry.unregister(token), String(new WeakRef(token))]`),
    [true, true, false, "[object WeakRef]"],
  );
});

test("DOMException is an Error with a name and a code", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const e = new DOMException("why", "AbortError");
      return [e instanceof Error, e.name, e.message, e.code, e.stack.split("\\n")[0], DOMException.ABORT_ERR, String(e), Object.keys(e)]`),
    [true, "AbortError", "why", 20, "AbortError: why", 20, "AbortError: why", []],
  );
});

test("streams: tee, pipe, from, bytes", async () => {
  const { run } = instance();
  assert.deepEqual(
    await run(`
      const all = async (s) => { const out = []; for await (const c of s) out.push(c); return out };
      const [a, b] = ReadableStream.from([1, 2]).tee();
      const doubled = b.pipeThrough(new TransformStream({ transform: (c, o) => o.enqueue(c * 2) }));
      const written = []; await ReadableStream.from("xy").pipeTo(new WritableStream({ write: (c) => void written.push(c) }));
      const byob = new Blob(["hello"]).stream().getReader({ mode: "byob" });
      const { value } = await byob.read(new Uint8Array(3));
      return [await all(a), await all(doubled), written, [...value], ReadableStream.name, WritableStream.name]`),
    [[1, 2], [2, 4], ["x", "y"], [104, 101, 108], "ReadableStream", "WritableStream"],
  );
});

test("console shows values as people expect", async () => {
  const { it, run } = instance();
  await run(`
    console.log("%s is %d%%, %o", "x", 5, { a: [1] }, "rest");
    console.log({ a: 1, b: "it's", c: [1, , 3], d: { e: { f: { g: 1 } } }, h: undefined, i: () => 1, [Symbol("s")]: 1n });
    console.log([new Map([["k", { v: 1 }]]), new Set([1, "2"]), new Date(0), /r/g, null, -0]);
    const circle = { name: "c" }; circle.self = circle; console.log(circle);
    class Point { constructor() { this.x = 1 } get y() { return 2 } } console.log(new Point(), Object.create(null), class A {});
    console.log(new Headers({ a: "1" }), new URLSearchParams("a=b"), Promise.resolve(1), new Uint8Array(3));
    console.warn("w"); console.error("e"); console.debug("d");
    console.group("G"); console.log("in\\nside"); console.groupEnd(); console.log("out");
    console.count(); console.count(); console.assert(false, "no"); console.time("t"); console.timeEnd("t");
    console.table([{ a: 1 }, { a: "x" }]);
    console.log("a".repeat(80).split("").map((c, i) => i));
    console.log(new Proxy({}, { get() { throw new Error("trap") } }));`);
  const lines = it.lines.map(([level, text]) => `${level} ${text}`);
  assert.deepEqual(lines.slice(0, 20), [
    "1 x is 5%, { a: [ 1 ] } rest",
    "1 {\n  a: 1,\n  b: \"it's\",\n  c: [ 1, <1 empty item>, 3 ],\n  d: { e: { f: [Object] } },\n  h: undefined,\n  i: [Function: i],\n  [Symbol(s)]: 1n\n}",
    "1 [\n  Map(1) { 'k' => { v: 1 } },\n  Set(2) { 1, '2' },\n  1970-01-01T00:00:00.000Z,\n  /r/g,\n  null,\n  -0\n]",
    "1 <ref *1> { name: 'c', self: [Circular *1] }",
    "1 Point { x: 1 } [Object: null prototype] {} [class A]",
    "1 Headers { a: '1' } URLSearchParams { 'a' => 'b' } Promise { <fulfilled> } Uint8Array(3) [ 0, 0, 0 ]",
    "2 w", "3 e", "0 d", "1 G", "1   in\n  side", "1 out", "1 default: 1", "1 default: 2",
    "3 Assertion failed: no", "1 t: 0ms",
    "1 ┌─────────┬─────┐\n│ (index) │ a   │\n├─────────┼─────┤\n│ 0       │ 1   │\n│ 1       │ 'x' │\n└─────────┴─────┘",
    lines[17], lines[18],
  ]);
  assert.match(lines[17], /^1 \[\n {2}0, 1, 2/);
  assert.match(lines[18], /could not be shown/);
});

test("a guest that patches built-ins does not break the platform", async () => {
  const cluster = new Cluster();
  cluster.start("echo", (g, sim, it) => ({ default: { fetch: it.eval(`async (r) => new Response(r.body)`) } }));
  const it = cluster.start("it", () => ({}));
  const got = await cluster.run(it.async(`
    Promise.prototype.then = () => { throw new Error("patched") };
    Promise.prototype.catch = Promise.prototype.then;
    JSON.parse = () => { throw new Error("patched") };
    const body = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('{"a":1}')); c.close(); } });
    const response = await fetch("https://echo.internal/", { method: "POST", body });
    return (await response.json()).a;`));
  assert.equal(got, 1);
});
