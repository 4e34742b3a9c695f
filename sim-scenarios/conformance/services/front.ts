// Calls another service in all the ways there are.

import settings from "./settings.json" with { type: "json" };
import { created, name } from "./modules/first.ts";

interface Env {
  BACK: { fetch(input: string | Request, init?: RequestInit): Promise<Response> };
  GREETING: string;
  NUMBERS: number[];
  NESTED: { on: boolean; nothing: null };
}

// Top-level await: no request is taken before this is done.
const later = await import("./modules/later.ts");

async function tried(ask: () => Promise<Response>): Promise<unknown> {
  try {
    const answer = await ask();
    return [answer.status, await answer.text()];
  } catch (error) {
    return [error.name, error.code, error.message];
  }
}

const routes: Record<string, (request: Request, env: Env, ctx: any) => unknown> = {
  "/vars": (_, env) => [env.GREETING, env.NUMBERS, env.NESTED, Object.keys(env).sort()],
  "/binding": (_, { BACK }) => tried(() => BACK.fetch("https://back.internal/x?y=1", { method: "POST", body: "by binding" })),
  "/any-host": (_, { BACK }) => tried(() => BACK.fetch("https://anything.at.all/x")),
  "/request": (request, { BACK }) => tried(() => BACK.fetch(request)),
  "/name": () => tried(() => fetch("https://back.internal/by-name")),
  "/many": async (_, { BACK }) =>
    (await Promise.all([1, 2, 3, 4, 5].map((n) => BACK.fetch(`https://back.internal/${n}`)))).map((answer) => new URL(answer.url).pathname),
  "/denied": () => tried(() => fetch("https://stranger.internal/")),
  "/denied-host": () => tried(() => fetch("https://api.elsewhere.example/")),
  "/unknown": () => tried(() => fetch("https://nobody.internal/")),
  "/bad-url": () => tried(() => fetch("not a url")),
  "/after": (_, { BACK }, ctx) => {
    ctx.waitUntil(BACK.fetch("https://back.internal/remember", { method: "POST", body: "after the response" }));
    return "answered";
  },
  "/remembered": (_, { BACK }) => tried(() => BACK.fetch("https://back.internal/remembered")),
  "/modules": () => [settings.title, settings.depth, created, name(), later.value, import.meta.url.endsWith("front.ts")],
};

export default {
  async fetch(request: Request, env: Env, ctx: any): Promise<Response> {
    const route = routes[new URL(request.url).pathname];
    if (route === undefined) return new Response("no such path", { status: 404 });
    return Response.json(await route(request, env, ctx));
  },
};
