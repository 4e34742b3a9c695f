// Writers, each with a page of its own, who remember what each bookmark named.

import { always, driver, equal, random, sleep, sometimes } from "dacapo:sim";
import type { State } from "./pages.ts";

const HOSTS = ["pages.example", "copies.example"];
const PATIENCE_MS = 5_000;

interface Known {
  bookmark: string;
  text: string;
}

let pages = 0;
let texts = 0;

class Client {
  // Whether something was asked that nobody knows of whether it was done: it may still be.
  isUnsure = false;

  constructor(readonly host: string, readonly name: string) {}

  // The answer, or null: then nobody knows whether it was done.
  async try<T>(method: string, ...args: unknown[]): Promise<T | null> {
    try {
      const url = `https://${this.host}/${this.name}/${method}`;
      const answer = await fetch(url, { method: "POST", body: JSON.stringify(args), signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.ok) return await answer.json();
      const text = await answer.text();
      always(answer.status !== 500 || !text.includes("half of a state"), "nobody sees half of a state", text);
    } catch (error) {
      if (error.code === "denied" || error.code === "unknown") throw error;
    }
    this.isUnsure = true;
    return null;
  }

  async ask<T>(method: string, ...args: unknown[]): Promise<T> {
    for (;;) {
      const answer = await this.try<T>(method, ...args);
      if (answer !== null) return answer;
      await sleep(random.int(50, 500));
    }
  }
}

async function write(page: Client, known: Known[]): Promise<void> {
  const text = `text ${++texts}`;
  const state = await page.ask<State>("write", text);
  equal(state.text, text, "what was written is there");
  equal(state.name, page.name, "an object knows the name that it was called by");
  known.push({ bookmark: state.bookmark, text });
}

async function goBack(page: Client, known: Known[], ordered: Set<string>): Promise<void> {
  const present = await page.ask<State>("read");
  page.isUnsure = false;
  const { bookmark, text } = random.pick(known);
  const isAtOnce = random.int(0, 1) === 0;
  let undo: string | null = null;
  if (isAtOnce) {
    await page.try("orderAndBegin", bookmark);
  } else {
    undo = await page.ask<string>("order", bookmark);
    await page.try("begin");
  }
  const now = await page.ask<State>("read");
  // An order that is not carried out yet will be when the object ends the next time.
  const may = [text, present.text, ...ordered];
  always(may.includes(now.text), "it is all there, or not yet", { now, may });
  sometimes(!isAtOnce && now.text === text && text !== present.text, "an object goes back to an earlier state");
  sometimes(isAtOnce && now.text === text && text !== present.text, "an object that is ended at once goes back as well");
  if (now.text === text && ordered.size === 0 && undo !== null) known.push({ bookmark: undo, text: present.text });
  if (now.text !== text || ordered.size > 0 || page.isUnsure) ordered.add(text);
}

export const drivers = {
  write: driver(
    async () => {
      const page = new Client(random.pick(HOSTS), `page-${++pages}`);
      const known: Known[] = [];
      const ordered = new Set<string>();
      for (let count = 0; count < 12; count++) {
        if (known.length > 0 && random.int(0, 2) === 0) await goBack(page, known, ordered);
        else await write(page, known);
        await sleep(random.int(10, 400));
      }
    },
    { clients: 4, pause: 100 },
  ),
};

export const judgments = {
  async "a quiet object goes back to what a bookmark or a time names, and back again"() {
    for (const host of HOSTS) {
      const page = new Client(host, "last");
      const before = await page.ask<State>("write", "one");
      await sleep(60_000);
      const after = await page.ask<State>("write", "two");
      const undo = await page.ask<string>("order", await page.ask<string>("at", Date.now() - 30_000));
      await page.try("begin");
      equal((await page.ask<State>("read")).text, "one", "the state of half a minute ago");
      await page.ask("order", undo);
      await page.try("begin");
      equal((await page.ask<State>("read")).text, "two", "and what was before that");
      always(before.bookmark < after.bookmark && after.bookmark < undo, "later bookmarks are greater");
    }
  },
};
