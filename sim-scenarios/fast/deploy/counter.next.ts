// The version that comes: the same, and it says that it is another one.

import { Counter as First, serve } from "./counter.ts";

export class Counter extends First {
  version(): number {
    return 2;
  }
}

export default {
  fetch: (request: Request, env: any) => serve(request, env, 2),
};
