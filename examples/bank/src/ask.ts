// Asks a private service, and asks again when no answer comes.
//
// Nobody can tell a request that was lost from an answer that was lost. So whoever asks again must say that it
// is the same request: that is what the idempotency key in `headers` is for.

import { sometimes } from "dacapo:sim";

const TRIES = 4;
const TIMEOUT_MS = 500;
const PAUSE_MS = 100;

interface Service {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

export async function ask<T>(service: Service, url: string, init: RequestInit): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await service.fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
      // The body belongs to the answer: it can break off, and it can be late.
      const body = await answer.text();
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${body}`);
      sometimes(tries > 1, "a second try has an answer");
      return JSON.parse(body);
    } catch (error) {
      if (tries === TRIES) throw error;
      // Twice as long each time, so that a service that is slow is not kept slow.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** (tries - 1)));
    }
  }
}
