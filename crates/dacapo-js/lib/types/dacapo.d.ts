// What Dacapo adds to the web platform, for editors and type checkers.
// Use it with `/// <reference path="…/dacapo.d.ts" />`, or in the `types` of a tsconfig.json.

/** A service that the configuration lets this one call: `env.NAME`. */
interface Fetcher {
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
}

/** What lives as long as one request or cron event. */
interface ExecutionContext<Props = unknown> {
  /** Work that goes on after the response. */
  waitUntil(promise: Promise<unknown>): void;
  /** Does nothing here; there for programs written for Cloudflare Workers. */
  passThroughOnException(): void;
  readonly props: Props;
}

/** The cron event that started `scheduled`. */
interface ScheduledController {
  readonly cron: string;
  /** Milliseconds since 1970. */
  readonly scheduledTime: number;
  noRetry(): void;
}

/** The default export of a service: `export default { … } satisfies ExportedHandler<Env>`. */
interface ExportedHandler<Env = unknown> {
  fetch?(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response>;
  scheduled?(controller: ScheduledController, env: Env, ctx: ExecutionContext): void | Promise<void>;
}

/** The `TypeError` of a `fetch()` that got no response. */
interface FetchError extends TypeError {
  readonly code: "denied" | "unknown" | "refused" | "reset" | "timeout" | "broken";
}

declare module "dacapo:sim" {
  /** Must hold each time, and must be reached at least once. The message is the name of the check. */
  export function always<T>(condition: T, message: string, details?: unknown): T;
  /** Must hold at least once in all the runs together. */
  export function sometimes<T>(condition: T, message: string, details?: unknown): T;
  /** Must be reached at least once in all the runs together. */
  export function reachable(message: string, details?: unknown): void;
  /** Must never be reached. */
  export function unreachable(message: string, details?: unknown): void;

  /** One round of a client, an invariant or a judgment. */
  export interface RoundContext {
    /** Which client of the driver, from 0. */
    readonly client: number;
    /** Which of its rounds, from 0. */
    readonly round: number;
    /** Whether the driving goes on. */
    readonly running: boolean;
    waitUntil(promise: Promise<unknown>): void;
  }
  export type Run<Env = any> = (env: Env, ctx: RoundContext) => unknown;

  export interface DriverOptions {
    /** How many clients run it in parallel; 1. */
    clients?: number;
    /** Mean think time between two rounds of a client, in milliseconds; 100. */
    pause?: number;
  }
  export interface Driver<Env = any> {
    readonly run: Run<Env>;
    readonly clients: number;
    readonly pause: number;
  }
  export function driver<Env = any>(run: Run<Env>, options?: DriverOptions): Driver<Env>;

  /** The exports of a scenario's workload module. */
  export interface Workload<Env = any> {
    /** Runs first; nothing fails yet. */
    setup?: Run<Env>;
    /** Run again and again while faults happen. */
    drivers?: Record<string, Run<Env> | Driver<Env>>;
    /** Checked again and again meanwhile. */
    invariants?: Record<string, Run<Env>>;
    /** Checked once, after everything has healed. */
    judgments?: Record<string, Run<Env>>;
  }

  /** Virtual time in a simulation. */
  export function sleep(ms: number): Promise<void>;

  /** Draws from the seed of the run. */
  export const random: {
    /** A whole number from `from` to `to`, both included. */
    int(from: number, to: number): number;
    pick<T>(array: readonly T[]): T;
    chance(probability: number): boolean;
    /** A shuffled copy. */
    shuffle<T>(array: readonly T[]): T[];
  };

  export function assert(condition: unknown, message?: string): asserts condition;
  /** Compares deeply; throws an AssertionError that says where the values differ. */
  export function equal<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
  export class AssertionError extends Error {
    constructor(message: string, values?: { actual?: unknown; expected?: unknown });
    actual: unknown;
    expected: unknown;
  }
}
