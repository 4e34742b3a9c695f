// Asks again until there is an answer: what crashed, comes back.

import { sleep } from "dacapo:sim";

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
