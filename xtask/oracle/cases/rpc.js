// Calls of an object's methods, and its fetch.
import { DurableObject } from "cloudflare:workers";

export class Subject extends DurableObject {
  #secret = 1;
  field = 2;
  inField = () => 3;
  whoAmI() { return { id: this.ctx.id.toString(), name: this.ctx.id.name }; }
  echo(...values) { return values; }
  async later(value) { await null; return value; }
  nothing() {}
  count() { return (this.counted = (this.counted ?? 0) + 1); }
  fails(kind) {
    switch (kind) {
      case "Error": throw new Error("plain");
      case "TypeError": throw new TypeError("typed");
      case "RangeError": throw new RangeError("ranged");
      case "own": throw new (class Own extends Error { name = "Own"; })("own");
      case "dom": throw new DOMException("gone", "AbortError");
      case "text": throw "just text";
      case "null": throw null;
      default: return Promise.reject(new SyntaxError("later"));
    }
  }
  givesFunctionInside() { return { f: Symbol("x") }; }
  get computed() { return 4; }
  async setsAlarm() { await this.ctx.storage.setAlarm(Date.now() + 1000); }
  static still() { return 5; }
  async fetch(request) {
    const body = await request.text();
    return new Response(`${request.method} ${new URL(request.url).pathname} ${body}`, { status: 201, headers: { "x-own": "yes" } });
  }
}

export const outside = {
  async "a class without alarm() can set none"({ env, tries }) {
    await tries("setAlarm", () => env.SUBJECTS.getByName("alarm").setsAlarm());
  },
  async "arguments and results are cloned"({ env, log }) {
    const stub = env.SUBJECTS.getByName("clone");
    log(await stub.echo(1, "é", null, undefined, 5n, new Date(5), new Map([[1, 2]]), new Set([1]), new Uint8Array([1, 2]), { a: [1] }, /x/g));
    log(await stub.later({ a: 1 }), await stub.nothing());
  },
  async "errors keep class and message"({ env, log }) {
    const stub = env.SUBJECTS.getByName("errors");
    for (const kind of ["Error", "TypeError", "RangeError", "own", "dom", "text", "null", "later"]) {
      try {
        log(kind, await stub.fails(kind));
      } catch (error) {
        log(kind, error, error?.message, error instanceof Error && error.name, error?.remote);
      }
    }
  },
  async "an error does not end the object"({ env, log }) {
    const stub = env.SUBJECTS.getByName("survives");
    await stub.count();
    await stub.fails("Error").catch(() => {});
    log(await stub.count());
  },
  async "what is no method cannot be called"({ env, tries }) {
    const stub = env.SUBJECTS.getByName("names");
    for (const name of ["missing", "field", "inField", "still", "constructor", "computed", "toString", "hasOwnProperty", "alarm"]) {
      await tries(name, async () => { const given = await stub[name](); return ["can be called", typeof given]; });
    }
  },
  async "what cannot be cloned"({ env, tries }) {
    const stub = env.SUBJECTS.getByName("clone");
    await tries("a symbol as an argument", () => stub.echo(Symbol("x")));
    await tries("a symbol in the result", () => stub.givesFunctionInside());
  },
  async "calls arrive in their order"({ env, log }) {
    const stub = env.SUBJECTS.getByName("order");
    log(await Promise.all(Array.from({ length: 10 }, () => stub.count())));
  },
  async "one object for one name"({ env, log }) {
    log(await env.SUBJECTS.getByName("same").count(), await env.SUBJECTS.getByName("same").count(), await env.SUBJECTS.getByName("other").count());
  },
  async "fetch"({ env, log, tries }) {
    const stub = env.SUBJECTS.getByName("fetch");
    const response = await stub.fetch("http://any/path?x=1", { method: "PUT", body: "hello" });
    log(response.status, response.headers.get("x-own"), await response.text(), response.ok);
    const again = await stub.fetch(new Request("https://any.example/again"));
    log(await again.text());
    await tries("fetch()", () => stub.fetch());
    await tries("fetch of a relative URL", () => stub.fetch("/path"));
  },
};
