// What customers ask for, and what comes of it. Amounts are whole cents.

export type Order =
  | { kind: "deposit"; to: string; amount: number }
  | { kind: "transfer"; from: string; to: string; amount: number };

export type Outcome = { status: "done" } | { status: "refused"; reason: string };

/** What is wrong with an order, or `null`. It comes from outside, so nothing about it is certain. */
export function mistakeIn(order: any): string | null {
  if (typeof order !== "object" || order === null) return "an order is an object";
  if (order.kind !== "deposit" && order.kind !== "transfer") return `there is no order of the kind ${order.kind}`;
  if (!isName(order.to)) return "the order does not say to which account";
  if (order.kind === "transfer" && !isName(order.from)) return "the order does not say from which account";
  if (order.kind === "transfer" && order.from === order.to) return "a transfer needs two accounts";
  if (!Number.isSafeInteger(order.amount) || order.amount <= 0) return "the amount is a number of cents above 0";
  return null;
}

const isName = (name: unknown): name is string => typeof name === "string" && /^[a-z]{1,20}$/.test(name);
