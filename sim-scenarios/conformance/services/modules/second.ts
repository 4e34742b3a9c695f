// The other half of the cycle: a function of `first` may be called once both are there.

import { name } from "./first.ts";

export const second = () => `second, with a ${typeof name}`;
