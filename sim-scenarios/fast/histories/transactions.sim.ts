// Clients read two lists and append to one of them.

import {
  Refused, converges, driver, exactlyOnce, history, isolated, progresses, random, session, sometimes,
} from "dacapo:sim";

const h = history();
const appended = history();
let next = 0;

async function post(micros: unknown[]): Promise<any> {
  const answer = await fetch("https://store.example/", {
    method: "POST",
    body: JSON.stringify(micros),
    signal: AbortSignal.timeout(2000),
  });
  sometimes(answer.status === 409, "a transaction is refused");
  if (answer.status === 409) throw new Refused();
  if (!answer.ok) throw new DOMException(`status ${answer.status}`, "AbortError");
  return await answer.json();
}

export const drivers = {
  transact: driver(
    async (_: unknown, { client }: { client: number }) => {
      const [one, other] = random.shuffle(["apples", "pears", "plums"]);
      const value = ++next;
      const micros = [["r", one, null], ["r", other, null], ["append", one, value]];
      await appended.call(client, { f: "append", value }, async () => {
        const answer = await h.call(client, { f: "txn", value: micros }, () => post(micros));
        if (answer === undefined) throw new Refused();
      });
    },
    { clients: 4, pause: 50 },
  ),
};

export const judgments = {
  async "everything is as it should be"() {
    const read = ["apples", "pears", "plums"].map((key) => ["r", key, null]);
    let books: number[] = [];
    await converges(async () => {
      const answer = await h.call(99, { f: "txn", value: read }, () => post(read));
      books = answer?.flatMap(([, , list]: [string, string, number[]]) => list);
      return answer !== undefined;
    });
    isolated(h, "strict serializable");
    exactlyOnce(appended, books);
    progresses(h, { within: 5000, requestsMin: 20 });
    // How long each client saw the lists that it only read.
    const seen = history();
    for (const { process, outcome, result } of h.operations) {
      if (outcome !== "ok") continue;
      for (const [f, key, list] of result) {
        if (f !== "r") continue;
        seen.invoke(process, { f: "read", key });
        seen.ok(process, list.length);
      }
    }
    session(seen, "monotonic reads");
  },
};
