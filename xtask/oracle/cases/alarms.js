// Alarms: setting, reading, ringing.
import { DurableObject } from "cloudflare:workers";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export class Ringing extends DurableObject {
  async set(ms, fails = 0) {
    await this.ctx.storage.put("fails", fails);
    await this.ctx.storage.setAlarm(Date.now() + ms);
  }
  async alarm(info) {
    const rung = (await this.ctx.storage.get("rung")) ?? [];
    rung.push([info?.isRetry, info?.retryCount, (await this.ctx.storage.getAlarm()) === null]);
    await this.ctx.storage.put("rung", rung);
    if (rung.length <= (await this.ctx.storage.get("fails"))) {
      await this.ctx.storage.sync();
      throw new Error("not yet");
    }
  }
  async rung() { return [(await this.ctx.storage.get("rung")) ?? [], await this.ctx.storage.getAlarm()]; }
}

export const inside = {
  async "an alarm is what was set last"({ storage, log }) {
    log(await storage.getAlarm());
    const at = Date.now() + 3_600_000;
    await storage.setAlarm(at);
    log((await storage.getAlarm()) === at);
    await storage.setAlarm(new Date(at + 5));
    log((await storage.getAlarm()) === at + 5);
    log(await storage.deleteAlarm(), await storage.getAlarm(), await storage.deleteAlarm());
  },
  async "times that make no sense"({ storage, tries }) {
    await tries("NaN", () => storage.setAlarm(NaN));
    await tries("text", () => storage.setAlarm("soon"));
    await tries("nothing", () => storage.setAlarm());
    await tries("negative", () => storage.setAlarm(-1));
    await tries("still none", () => storage.getAlarm());
  },
  async "deleteAll and the alarm"({ storage, log }) {
    await storage.setAlarm(Date.now() + 3_600_000);
    await storage.put("a", 1);
    await storage.deleteAll();
    log((await storage.getAlarm()) === null, await storage.list());
    await storage.deleteAlarm();
  },
};

export const outside = {
  async "an alarm rings once"({ env, log }) {
    const stub = env.RINGING.getByName("once");
    await stub.set(50);
    await wait(400);
    log(await stub.rung());
  },
  async "an alarm in the past rings at once"({ env, log }) {
    const stub = env.RINGING.getByName("past");
    await stub.set(-100_000);
    await wait(300);
    log(await stub.rung());
  },
};
