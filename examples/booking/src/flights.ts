// Seats.

import { Holdings } from "./holdings.ts";

export class Flight extends Holdings {
  readonly total = 15;
}
