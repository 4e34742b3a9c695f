// Asks again until there is an answer: what crashed, comes back.

import { always, equal, sleep } from "dacapo:sim";

export async function ask<T>(question: () => Promise<T>, pause = 300): Promise<T> {
  for (;;) {
    let isLate = false;
    try {
      const late = sleep(5000).then(() => ((isLate = true), undefined as T));
      const answer = await Promise.race([question(), late]);
      if (!isLate) return answer;
    } catch (error) {
      if (!error.durableObjectReset && error.code === undefined) throw error;
      if (error.code === "denied" || error.code === "unknown") throw error;
    }
    await sleep(pause);
  }
}

export async function ended(instance: any, pause: number): Promise<any> {
  for (let tries = 0; tries < 2000; tries++) {
    const status: any = await ask(() => instance.status(), pause);
    if (["complete", "errored", "terminated"].includes(status.status)) return status;
    await sleep(pause);
  }
  return await ask(() => instance.status(), pause);
}

// What must hold of an instance that has ended.
export async function judge(env: any, instance: any, added: number) {
  const { status, output, error } = await ended(instance, 300);
  equal([status, error], ["complete", undefined], "each instance comes to its end");
  const notes = await ask<Record<string, number>>(() => env["ledger.Ledger"].getByName(instance.id).notes());
  for (const name of ["one", "a", "b", "c"]) always(notes[name] >= 1, "each step takes effect at least once", { name, notes });
  const told = Object.keys(notes).filter((note) => note.startsWith("told ")).map((note) => note.slice(5));
  // Each drawn value that was ever told is the one that the workflow ended with.
  equal(told.sort(), [output.one, output.winner, `event=${instance.id}`, ...output.all].sort(), "what was recorded once is seen for ever");
  always(output.payload === instance.id, "the event arrives");
  if (!Number.isNaN(added)) always(output.added === added, "an update that was acknowledged counts", { added, output });
  return notes;
}
