import { DurableObject } from "cloudflare:workers";

export class Thing extends DurableObject {
  rings = 0;

  count(by: number) {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS counts (n INTEGER)");
    this.ctx.storage.sql.exec("INSERT INTO counts VALUES (?)", by);
    return this.ctx.storage.sql.exec("SELECT sum(n) AS total, count(*) AS times FROM counts").one();
  }
  async keys(value: unknown) {
    await this.ctx.storage.put({ a: value, b: 2, c: [1, 2] });
    await this.ctx.storage.delete("b");
    return [...(await this.ctx.storage.list())];
  }
  async undone() {
    const error = await this.ctx.storage.transaction(async (txn) => {
      await txn.put("a", "never");
      throw new RangeError("undone");
    }).catch((error) => error);
    return [String(error), await this.ctx.storage.get("a")];
  }
  fail() {
    throw new RangeError("on purpose");
  }
  abort() {
    this.ctx.storage.kv.put("lost", 1);
    this.ctx.abort("on purpose");
  }
  lost() {
    return this.ctx.storage.kv.get("lost") ?? "nothing";
  }
  async ring() {
    await this.ctx.storage.setAlarm(Date.now() + 50);
  }
  async alarm() {
    this.rings++;
    await this.ctx.storage.put("rings", this.rings);
  }
  async rung() {
    return [await this.ctx.storage.get("rings"), await this.ctx.storage.getAlarm()];
  }
}

export default {
  async fetch(request: Request, env: any): Promise<Response> {
    const [, name, method, argument] = new URL(request.url).pathname.split("/");
    const thing = env.THINGS.getByName(name);
    try {
      const value = await thing[method](argument === undefined ? undefined : JSON.parse(decodeURIComponent(argument)));
      return Response.json({ value });
    } catch (error) {
      return Response.json({ error: String(error), isReset: error.durableObjectReset === true });
    }
  },
};
