// Shares a module with `one`, and none of its memory.

import { increment } from "./shared.ts";

export default {
  fetch: () => Response.json(increment()),
};
