// What services use of the web platform most.
export const outside = {
  async "URLs"({ log, tries }) {
    for (const text of ["https://é.example/ä?q=1#x", "HTTP://User:Pw@Host:80/a/../b", "https://a.example?x=y z&x=2", "data:text/plain,hi"]) {
      const url = new URL(text);
      log(url.href, url.host, url.pathname, url.search, url.origin, [...url.searchParams]);
    }
    await tries("relative", () => new URL("/a"));
    log(URL.canParse("nope"), new URL("../x", "https://a.example/b/c/").href);
  },
  async "headers"({ log, tries }) {
    const headers = new Headers([["B", "2"], ["a", "1"], ["b", " 3 "], ["Set-Cookie", "x=1"], ["set-cookie", "y=2"]]);
    log([...headers], headers.get("b"), headers.getSetCookie(), headers.has("A"));
    await tries("a bad name", () => new Headers({ "a b": "1" }));
    await tries("a bad value", () => new Headers({ a: "1\n2" }));
  },
  async "responses"({ log, tries }) {
    log(new Response("x").headers.get("content-type"), new Response(new URLSearchParams("a=1")).headers.get("content-type"));
    log(Response.json({ a: 1 }).headers.get("content-type"), await Response.json({ a: 1 }).text());
    log(new Response(null, { status: 204 }).status, Response.redirect("https://a.example/", 302).headers.get("location"));
    await tries("status 99", () => new Response("", { status: 99 }));
    await tries("204 with a body", () => new Response("x", { status: 204 }));
    const twice = new Response("once");
    await twice.text();
    await tries("read twice", () => twice.text());
    log(await new Response(new Uint8Array([104, 105])).text(), [...new Uint8Array(await new Response("hi").arrayBuffer())]);
  },
  async "requests"({ log, tries }) {
    const request = new Request("https://a.example/x", { method: "post", body: "b", headers: { "X-Y": "z" } });
    log(request.method, request.headers.get("content-type"), request.headers.get("x-y"), await request.clone().text(), request.bodyUsed);
    await tries("GET with a body", () => new Request("https://a.example", { body: "x" }));
    await tries("a bad method", () => new Request("https://a.example", { method: "A B" }));
  },
  async "encodings"({ log, tries }) {
    log(new TextEncoder().encode("é\u{1f600}"), new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 104, 0xff])));
    log(btoa("hi"), atob("aGk="), new TextDecoder("latin1").decode(new Uint8Array([233])), new TextDecoder("utf-16le").decode(new Uint8Array([65, 0])));
    await tries("fatal", () => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff])));
    await tries("btoa", () => btoa("é"));
    await tries("atob", () => atob("a"));
  },
  async "digests"({ log }) {
    for (const name of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"]) {
      log(name, new Uint8Array(await crypto.subtle.digest(name, new TextEncoder().encode("abc"))));
    }
    log(crypto.randomUUID().length, crypto.getRandomValues(new Uint8Array(4)).length);
  },
  async "streams"({ log }) {
    const { readable, writable } = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk.toUpperCase()); } });
    const writer = writable.getWriter();
    writer.write("a");
    writer.write("b");
    writer.close();
    const seen = [];
    for await (const chunk of readable) seen.push(chunk);
    log(seen);
    const [one, two] = new Response("tee").body.tee();
    log(await new Response(one).text(), await new Response(two).text());
    log(await new Response(new Response("x").body.pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream())).text());
  },
  async "the order of tasks"({ log }) {
    const seen = [];
    const done = new Promise((resolve) => setTimeout(() => { seen.push("timer 0"); setTimeout(resolve, 5); }, 0));
    queueMicrotask(() => seen.push("microtask"));
    Promise.resolve().then(() => seen.push("promise"));
    (async () => { seen.push("async"); await null; seen.push("after await"); })();
    seen.push("sync");
    await done;
    log(seen);
  },
  async "aborting"({ log, tries }) {
    const controller = new AbortController();
    controller.signal.addEventListener("abort", (event) => log(event.type, controller.signal.aborted));
    controller.abort();
    log(controller.signal.reason);
    await tries("throwIfAborted", () => controller.signal.throwIfAborted());
    await tries("timeout", () => new Promise((_, no) => { const s = AbortSignal.timeout(5); s.addEventListener("abort", () => no(s.reason)); }));
    log(AbortSignal.any([AbortSignal.abort("why")]).reason);
  },
  async "cloning"({ log, tries }) {
    log(structuredClone({ a: new Map([[1, new Date(3)]]), b: [undefined, 1n] }));
    await tries("a function", () => structuredClone(() => 1));
    const buffer = new ArrayBuffer(2);
    structuredClone(buffer, { transfer: [buffer] });
    log(buffer.byteLength);
  },
  async "forms"({ log }) {
    const form = new FormData();
    form.append("a", "1");
    form.append("f", new Blob(["file"], { type: "text/plain" }), "f.txt");
    const back = await new Response(form).formData();
    const file = back.get("f");
    log(back.get("a"), file.name, file.type, await file.text(), [...back.keys()]);
    log([...(await new Response("a=1&b=%20x", { headers: { "content-type": "application/x-www-form-urlencoded" } }).formData())]);
  },
};
