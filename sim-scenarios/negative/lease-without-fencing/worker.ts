// Works if it leads, and tries to lead if nobody does.

import type { Grant, Lease, Register } from "./keeper.ts";

interface Env {
  LEASES: DurableObjectNamespace<Lease>;
  REGISTERS: DurableObjectNamespace<Register>;
}

let me = "";
let grant: Grant | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    me ||= crypto.randomUUID();
    try {
      if (grant === undefined || grant.until <= Date.now()) grant = await env.LEASES.getByName("the lease").acquire(me);
      if (grant.holder !== me) return new Response("another one leads\n", { status: 409 });
      const { epoch } = grant;
      const value = await request.text();
      // Work takes time. Whatever happens meanwhile, this worker still believes that it leads.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const written = await env.REGISTERS.getByName("the register").write(epoch, value);
      return new Response(written ? "written\n" : "too late\n", { status: written ? 200 : 409 });
    } catch (error) {
      return new Response(`${error}\n`, { status: 503 });
    }
  },
};
