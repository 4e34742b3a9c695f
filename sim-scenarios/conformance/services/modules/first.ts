// Half of a cycle: `second` imports this module while it is being evaluated.

import { second } from "./second.ts";

export const name = () => "first";
export const created = `made by ${second()}`;
