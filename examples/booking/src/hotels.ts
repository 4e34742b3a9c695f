// Rooms.

import { Holdings } from "./holdings.ts";

export class Hotel extends Holdings {
  readonly total = 12;
}
