// Loads modules in every way.

import data from "./data.json" with { type: "json" };
import { increment, Kind, type Shape } from "./shared.ts";
import * as shared from "./shared.ts";

const loaded = [(await import("./parts/b.ts")).default, (await import("./parts/a.ts")).default];
// A name that is put together at run time finds what the program has anyway.
for (const name of ["a", "b"]) loaded.push((await import(`./parts/${name}.ts`)).default);
const { default: again } = await import("./data.json", { with: { type: "json" } });
const missing = await import("./parts/missing.ts").catch((error) => error.name);

const shape = { kind: Kind.Round, size: 2 } satisfies Shape;

export default {
  async fetch(): Promise<Response> {
    return Response.json({
      data,
      isSameData: again === data,
      loaded,
      missing,
      shape,
      exports: Object.keys(shared),
      count: increment(),
    });
  },
};
