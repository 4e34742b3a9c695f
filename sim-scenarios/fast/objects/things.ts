// An object that does what it is asked for, and tells what it saw.

import { DurableObject } from "cloudflare:workers";
import { WorkerEntrypoint } from "dacapo:workers";

export class Thing extends DurableObject {
  #memory = 0;
  ready = false;
  rings: unknown[] = [];

  constructor(ctx: DurableObjectState, env: any) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      this.rings = (await ctx.storage.get<unknown[]>("rings")) ?? [];
      this.ready = true;
    });
  }

  async fetch(request: Request): Promise<Response> {
    const body = await request.text();
    return new Response(`${request.method} ${new URL(request.url).pathname} ${body} ${this.ready}`, { status: 201 });
  }

  echo(...values: unknown[]) {
    return values;
  }
  remember() {
    return ++this.#memory;
  }
  who() {
    return [this.ctx.id.toString(), this.ready];
  }
  fail(kind: string) {
    if (kind === "range") throw new RangeError("too far");
    if (kind === "own") throw Object.assign(new Error("mine"), { name: "OwnError" });
    if (kind === "dom") throw new DOMException("stop", "AbortError");
    if (kind === "value") throw { some: "value" };
    return () => "functions cannot travel";
  }
  async keys() {
    const { storage } = this.ctx;
    const seen: Record<string, unknown> = {};
    await storage.put({ "a/1": 1, "a/2": new Map([["x", new Date(5)]]), b: [1n, undefined] });
    await storage.put("c", { deep: { own: this.#memory } });
    seen.some = [...(await storage.get(["a/1", "nothing", "b"]))].map(([key]) => key);
    seen.map = ((await storage.get("a/2")) as Map<string, Date>).get("x")?.getTime();
    seen.list = [...(await storage.list({ prefix: "a/", reverse: true })).keys()];
    seen.limit = [...(await storage.list({ startAfter: "a/1", limit: 1 })).keys()];
    seen.deleted = [await storage.delete("a/1"), await storage.delete("a/1"), await storage.delete(["a/2", "b", "z"])];
    seen.undefined = await storage.get("a/1");
    seen.refused = await storage.put("f", () => {}).catch((error) => error.name);
    seen.many = await storage.get(Array.from({ length: 129 }, (_, n) => `k${n}`)).catch((error) => error.message);
    seen.kv = [storage.kv.put("k", 7), storage.kv.get("k"), [...storage.kv.list()], storage.kv.delete("k")];
    await storage.deleteAll();
    seen.left = (await storage.list()).size;
    await storage.sync();
    return seen;
  }
  sql() {
    const { sql } = this.ctx.storage;
    const seen: Record<string, unknown> = {};
    sql.exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, name TEXT UNIQUE); DELETE FROM t");
    const cursor = sql.exec("INSERT INTO t (name) VALUES (?), (?), (?) RETURNING id", "a", "b", null);
    seen.returned = cursor.toArray();
    seen.written = cursor.rowsWritten;
    seen.all = [...sql.exec("SELECT name, id * 2 AS twice FROM t ORDER BY id DESC")];
    seen.raw = [...sql.exec("SELECT id, name FROM t LIMIT 2").raw()];
    seen.columns = sql.exec("SELECT 1 AS x, 2 AS y").columnNames;
    seen.one = sql.exec("SELECT count(*) AS n FROM t").one();
    seen.next = sql.exec("SELECT 5 AS five").next();
    seen.blob = [...new Uint8Array(sql.exec<{ b: ArrayBuffer }>("SELECT ? AS b", new Uint8Array([1, 2])).one().b)];
    const message = (run: () => unknown) => {
      try {
        return run();
      } catch (error) {
        return error.message;
      }
    };
    seen.none = message(() => sql.exec("SELECT 1 WHERE false").one());
    seen.syntax = message(() => sql.exec("SELECT * FROM nowhere"));
    seen.unique = message(() => sql.exec("INSERT INTO t (name) VALUES ('a')"));
    seen.begin = message(() => sql.exec("BEGIN")).slice(0, 32);
    seen.hidden = message(() => sql.exec("SELECT * FROM _cf_KV")).includes("SQLITE");
    seen.still = sql.exec("SELECT count(*) AS n FROM t").one();
    seen.size = sql.databaseSize > 0;
    return seen;
  }
  async transactions() {
    const { storage } = this.ctx;
    const seen: Record<string, unknown> = {};
    await storage.put("n", 1);
    seen.thrown = await storage
      .transaction(async (txn) => {
        await txn.put("n", 2);
        await this.#wait();
        throw new Error("no");
      })
      .catch((error) => error.message);
    seen.after = await storage.get("n");
    await storage.transaction(async (txn) => {
      await txn.put("n", 3);
      txn.rollback();
    });
    seen.rolledBack = await storage.get("n");
    seen.done = await storage.transaction(async (txn) => {
      await txn.put("n", 4);
      await this.#wait();
      return "done";
    });
    seen.committed = await storage.get("n");
    try {
      storage.transactionSync(() => {
        storage.kv.put("n", 5);
        throw new Error("no");
      });
    } catch (error) {
      seen.sync = [error.message, storage.kv.get("n")];
    }
    seen.syncDone = storage.transactionSync(() => storage.kv.put("n", 6)) === undefined && storage.kv.get("n");
    return seen;
  }
  #wait() {
    return new Promise((resolve) => setTimeout(resolve, 10));
  }

  async setAlarm(after: number) {
    this.rings = [];
    await this.ctx.storage.put("rings", this.rings);
    await this.ctx.storage.setAlarm(Date.now() + after);
    return this.ctx.storage.getAlarm();
  }
  async deleteAlarm() {
    await this.ctx.storage.deleteAlarm();
    return this.ctx.storage.getAlarm();
  }
  async alarm(info: AlarmInvocationInfo) {
    this.rings.push([info.isRetry, info.retryCount, await this.ctx.storage.getAlarm()]);
    if (info.retryCount < 2) {
      await this.ctx.storage.put("rings", this.rings);
      throw new Error("not yet");
    }
    await this.ctx.storage.put({ rings: this.rings, ringer: this.ctx.id.name });
  }
  async getRings() {
    return [this.rings, await this.ctx.storage.getAlarm()];
  }
  async whoRang() {
    return this.ctx.storage.get("ringer");
  }

  async giveUp() {
    await this.ctx.storage.put("before", true);
    await this.ctx.storage.sync();
    this.ctx.storage.kv.put("lost", true);
    this.ctx.abort("that is enough");
  }
  async whatIsLeft() {
    return [await this.ctx.storage.get("before"), await this.ctx.storage.get("lost")];
  }
  async later() {
    this.ctx.waitUntil(this.#wait().then(() => this.ctx.storage.put("later", true)));
    return this.ctx.storage.get("later");
  }
}

/** Not a DurableObject: it can be fetched, and that is all. */
export class Plain {
  async fetch() {
    return new Response("plain");
  }
  method() {}
}

export default class extends WorkerEntrypoint {
  async fetch() {
    return new Response("a class as a service");
  }
}
