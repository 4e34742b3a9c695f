// Calls each service once on each node, for a service starts with its first request. (Calls go to the
// nodes in turn.)

import { always } from "dacapo:sim";

export async function setup() {
  for (const service of ["one", "two", "three"]) {
    for (let node = 0; node < 3; node++) {
      const answer = await fetch(`https://${service}.example/`);
      always((await answer.text()) === "hello", "each instance answers");
    }
  }
}
