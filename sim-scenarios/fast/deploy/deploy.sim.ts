// Counts while versions change.

import { always, driver, equal, sleep, sometimes } from "dacapo:sim";

let count = 0;

export const drivers = {
  count: driver(
    async () => {
      const key = `${++count}`;
      for (;;) {
        const answer = await fetch("https://counter.example/", { method: "POST", body: key });
        const told = await answer.json();
        if (answer.ok) {
          sometimes(told.service === 1, "the old version answers");
          sometimes(told.service === 2, "the new version answers");
          sometimes(told.service !== told.object, "a service of one version calls an object of another");
          return;
        }
        always(told.reset, "who calls an object whose code is updated is told so", told);
        sometimes(told.message?.includes("its code was updated"), "an object is updated in the middle of a call");
        await sleep(20);
      }
    },
    { clients: 2, pause: 100 },
  ),
};

export const judgments = {
  async "nothing is lost, and the new version is everywhere"() {
    for (let at = 0; at < 6; at++) {
      const { value, service, object } = await (await fetch("https://counter.example/")).json();
      equal(value, count, "every key is counted once");
      always(service === object, "the service and the object are of one version", { service, object });
    }
  },
};
