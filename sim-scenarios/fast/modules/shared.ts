// TypeScript that leaves something behind when types are stripped.

let count = 0;

export const increment = (): number => ++count;

export enum Kind {
  Square,
  Round = "round",
}

export interface Shape {
  kind: Kind;
  size: number;
}
