// Input gate, output gate, blockConcurrencyWhile: what other events see.
import { DurableObject } from "cloudflare:workers";

const turns = async (n) => { for (let i = 0; i < n; i++) await null; };
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export class Gated extends DurableObject {
  order = [];
  constructor(ctx, env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      await wait(20);
      this.order.push("ready");
    });
  }
  seen() { return this.order; }
  async storageIncrement() {
    const n = (await this.ctx.storage.get("n")) ?? 0;
    await turns(3);
    await this.ctx.storage.put("n", n + 1);
    return n + 1;
  }
  async timerIncrement() {
    const n = (await this.ctx.storage.get("n")) ?? 0;
    await wait(5);
    await this.ctx.storage.put("n", n + 1);
    return n + 1;
  }
  async blockedIncrement() {
    return this.ctx.blockConcurrencyWhile(async () => {
      const n = (await this.ctx.storage.get("n")) ?? 0;
      await wait(5);
      await this.ctx.storage.put("n", n + 1);
      return n + 1;
    });
  }
  async overlaps(name) {
    this.order.push(`${name} begins`);
    await wait(10);
    this.order.push(`${name} ends`);
    return this.order;
  }
  async breaks() {
    await this.ctx.storage.put("kept", 1);
    this.memory = "there";
    await this.ctx.blockConcurrencyWhile(async () => { throw new RangeError("no"); });
  }
  async aborts() {
    await this.ctx.storage.put("kept", 1);
    this.memory = "there";
    this.ctx.abort("enough");
  }
  async look() { return [this.memory, await this.ctx.storage.get("kept")]; }
}

export const outside = {
  async "the constructor's section comes first"({ env, log }) {
    log(await env.GATED.getByName("first").seen());
  },
  async "increments over storage lose nothing"({ env, log }) {
    const stub = env.GATED.getByName("storage");
    log((await Promise.all(Array.from({ length: 10 }, () => stub.storageIncrement()))).sort((a, b) => a - b));
  },
  async "increments over a timer lose all but one"({ env, log }) {
    const stub = env.GATED.getByName("timer");
    await stub.seen();
    log(await Promise.all(Array.from({ length: 5 }, () => stub.timerIncrement())));
  },
  async "increments in blockConcurrencyWhile lose nothing"({ env, log }) {
    const stub = env.GATED.getByName("blocked");
    log((await Promise.all(Array.from({ length: 5 }, () => stub.blockedIncrement()))).sort((a, b) => a - b));
  },
  async "events overlap where nothing is awaited of storage"({ env, log }) {
    const stub = env.GATED.getByName("overlap");
    await stub.seen();
    await Promise.all([stub.overlaps("a"), stub.overlaps("b")]);
    log(await stub.seen());
  },
  async "a failed section resets the object"({ env, log, tries }) {
    const stub = env.GATED.getByName("breaks");
    await tries("breaks", () => stub.breaks());
    log(await env.GATED.getByName("breaks").look());
  },
  async "abort resets the object"({ env, log, tries }) {
    const stub = env.GATED.getByName("aborts");
    await tries("aborts", () => stub.aborts());
    log(await env.GATED.getByName("aborts").look());
  },
};
