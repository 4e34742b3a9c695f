// A page that is written again and again, and that goes back to what it was. Its text stands twice, so that half of a
// state is seen.

import { DurableObject } from "cloudflare:workers";

interface Env {
  PAGES: DurableObjectNamespace<Page>;
}

export interface State {
  text: string;
  bookmark: string;
  name: string | undefined;
}

export class Page extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists page (id integer primary key, text text)");
  }

  async read(): Promise<State> {
    const { storage } = this.ctx;
    const [row] = storage.sql.exec<{ text: string }>("select text from page").toArray();
    const kept = (await storage.get<string>("text")) ?? "";
    if (kept !== (row?.text ?? "")) throw new Error(`half of a state: ${kept} and ${row?.text}`);
    return { text: kept, bookmark: await storage.getCurrentBookmark(), name: this.ctx.id.name };
  }

  async write(text: string): Promise<State> {
    const { storage } = this.ctx;
    storage.sql.exec("replace into page values (1, ?)", text);
    await storage.put("text", text);
    return this.read();
  }

  async at(time: number): Promise<string> {
    return this.ctx.storage.getBookmarkForTime(time);
  }

  // Nobody gets the answer of an object that ends, so the order comes first.
  async order(bookmark: string): Promise<string> {
    return this.ctx.storage.onNextSessionRestoreBookmark(bookmark);
  }

  begin(): void {
    this.ctx.abort("to begin anew");
  }

  // Both at once: what is ordered counts, although the turn ends the object.
  orderAndBegin(bookmark: string): void {
    this.ctx.storage.onNextSessionRestoreBookmark(bookmark);
    this.ctx.abort("to begin anew");
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, name, method] = new URL(request.url).pathname.split("/");
    const page = env.PAGES.getByName(name) as any;
    try {
      return Response.json((await page[method](...((await request.json()) as unknown[]))) ?? null);
    } catch (error) {
      return new Response(`${error}\n`, { status: error.durableObjectReset ? 503 : 500 });
    }
  },
};
