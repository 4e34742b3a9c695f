// Money, by customer.

import { Holdings } from "./holdings.ts";

export class Wallet extends Holdings {
  readonly total = 1500;
}
