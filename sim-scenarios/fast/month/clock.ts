// Keeps a diary of what the clock has brought: cron lines, and an alarm for each hour.

import { DurableObject } from "cloudflare:workers";

interface Env {
  DIARY: DurableObjectNamespace<Diary>;
}

const HOUR = 3_600_000;

export interface Entry {
  what: string;
  due: number;
  at: number;
}

export class Diary extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists entry (what text, due integer, at integer)");
  }

  begin(): void {
    this.ctx.storage.setAlarm((Math.floor(Date.now() / HOUR) + 1) * HOUR);
  }

  write(what: string, due: number): void {
    this.ctx.storage.sql.exec("insert into entry values (?, ?, ?)", what, due, Date.now());
  }

  read(what: string): Entry[] {
    return this.ctx.storage.sql.exec("select * from entry where what = ?", what).toArray() as unknown as Entry[];
  }

  alarm({ scheduledTime }: { scheduledTime: number }): void {
    this.write("alarm", scheduledTime);
    this.ctx.storage.setAlarm(scheduledTime + HOUR);
  }
}

const diary = (env: Env) => env.DIARY.getByName("diary");

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method === "POST") await diary(env).begin();
    const what = decodeURIComponent(new URL(request.url).pathname.slice(1));
    return Response.json(await diary(env).read(what));
  },

  async scheduled(controller: ScheduledController, env: Env): Promise<void> {
    await diary(env).write(controller.cron, controller.scheduledTime);
  },
};
