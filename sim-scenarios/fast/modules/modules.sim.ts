// Asks both services what they have loaded.

import { always, driver, equal } from "dacapo:sim";

let counts = { one: 0, two: 0 };

async function one() {
  const found = await (await fetch("https://one.example/")).json();
  const expected = {
    data: { title: "da capo", numbers: [1, 2.5, -3e10], nested: { nothing: null } },
    isSameData: true,
    loaded: ["b, later", "a", "a", "b, later"],
    missing: "TypeError",
    shape: { kind: "round", size: 2 },
    exports: ["Kind", "increment"],
    count: ++counts.one,
  };
  equal(found, expected, "modules load as they are written");
}

async function two() {
  const count = await (await fetch("https://two.example/")).json();
  always(count === ++counts.two, "services share no memory", { count, counts });
}

export const drivers = { one: driver(one, { pause: 200 }), two: driver(two, { pause: 300 }) };
