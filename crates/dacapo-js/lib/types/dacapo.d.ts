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
  queue?(batch: MessageBatch<any>, env: Env, ctx: ExecutionContext): void | Promise<void>;
}

/** How a message is sent: `"v8"`, a structured clone, unless told otherwise. */
type QueueContentType = "v8" | "json" | "text" | "bytes";

interface QueueSendOptions {
  contentType?: QueueContentType;
  /** How long it waits before it can be handed over, up to 12 hours; without it, the `delay` of the queue. */
  delaySeconds?: number;
}

/** A queue that the configuration lets this service send to: `env.NAME`. */
interface Queue<Body = unknown> {
  /** Resolves when the message is durable. At most 128,000 bytes. */
  send(body: Body, options?: QueueSendOptions): Promise<void>;
  /** Up to 100 messages and 256,000 bytes: all of them, or none. */
  sendBatch(
    messages: Iterable<{ body: Body } & QueueSendOptions>,
    options?: { delaySeconds?: number },
  ): Promise<void>;
}

interface QueueRetryOptions {
  /** How long until it is handed over again; without it, the `retry_delay` of the queue. */
  delaySeconds?: number;
}

/** A message that a consumer is given. What is said first, `ack` or `retry`, counts. */
interface Message<Body = unknown> {
  /** The same each time that it is handed over. */
  readonly id: string;
  /** When it was sent. */
  readonly timestamp: Date;
  readonly body: Body;
  /** How often it was handed over, this time included. */
  readonly attempts: number;
  ack(): void;
  retry(options?: QueueRetryOptions): void;
}

/** What the handler `queue` of a consumer gets. If it throws, all that was not acknowledged comes again. */
interface MessageBatch<Body = unknown> {
  readonly queue: string;
  readonly messages: readonly Message<Body>[];
  ackAll(): void;
  retryAll(options?: QueueRetryOptions): void;
}

interface KVNamespacePutOptions {
  /** Seconds since 1970, at least 60 from now. */
  expiration?: number;
  /** Seconds from now, at least 60. */
  expirationTtl?: number;
  /** At most 1,024 bytes as JSON. */
  metadata?: unknown;
}

/** A KV namespace that the configuration lets this service read and write: `env.NAME`. */
interface KVNamespace {
  get(key: string, options?: "text" | { type?: "text"; cacheTtl?: number }): Promise<string | null>;
  get<T = unknown>(key: string, options: "json" | { type: "json"; cacheTtl?: number }): Promise<T | null>;
  get(key: string, options: "arrayBuffer" | { type: "arrayBuffer"; cacheTtl?: number }): Promise<ArrayBuffer | null>;
  get(key: string, options: "stream" | { type: "stream"; cacheTtl?: number }): Promise<ReadableStream | null>;
  /** Up to 100 keys. */
  get(keys: string[], options?: "text" | { type?: "text"; cacheTtl?: number }): Promise<Map<string, string | null>>;
  get<T = unknown>(keys: string[], options: "json" | { type: "json"; cacheTtl?: number }): Promise<Map<string, T | null>>;
  getWithMetadata<M = unknown>(
    key: string,
    options?: "text" | { type?: "text"; cacheTtl?: number },
  ): Promise<{ value: string | null; metadata: M | null; cacheStatus: null }>;
  getWithMetadata<T = unknown, M = unknown>(
    key: string,
    options: "json" | { type: "json"; cacheTtl?: number },
  ): Promise<{ value: T | null; metadata: M | null; cacheStatus: null }>;
  getWithMetadata<M = unknown>(
    key: string,
    options: "arrayBuffer" | { type: "arrayBuffer"; cacheTtl?: number },
  ): Promise<{ value: ArrayBuffer | null; metadata: M | null; cacheStatus: null }>;
  /** Keys have at most 512 bytes, values 25 MiB. */
  put(key: string, value: string | ArrayBuffer | ArrayBufferView | ReadableStream, options?: KVNamespacePutOptions): Promise<void>;
  delete(key: string): Promise<void>;
  /** At most 1,000 keys, in the order of their bytes; `cursor` goes on where a list ended. */
  list<M = unknown>(options?: { prefix?: string; limit?: number; cursor?: string | null }): Promise<
    | { keys: { name: string; expiration?: number; metadata?: M }[]; list_complete: true; cacheStatus: null }
    | { keys: { name: string; expiration?: number; metadata?: M }[]; list_complete: false; cursor: string; cacheStatus: null }
  >;
}

/** The id of a durable object. */
interface DurableObjectId {
  toString(): string;
  equals(other: DurableObjectId): boolean;
  /** The name that it was made from, if it was. */
  readonly name?: string;
}

/** What a service holds of a durable object: `fetch`, and the methods of its class as calls. */
type DurableObjectStub<T = unknown> = Fetcher & { readonly id: DurableObjectId; readonly name?: string } & {
  [K in keyof T as T[K] extends (...args: any[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** A class of durable objects that the configuration lets this service call: `env.NAME`. */
interface DurableObjectNamespace<T = unknown> {
  newUniqueId(): DurableObjectId;
  idFromName(name: string): DurableObjectId;
  idFromString(text: string): DurableObjectId;
  get(id: DurableObjectId): DurableObjectStub<T>;
  getByName(name: string): DurableObjectStub<T>;
  jurisdiction(name: string): DurableObjectNamespace<T>;
}

interface DurableObjectListOptions {
  start?: string;
  startAfter?: string;
  end?: string;
  prefix?: string;
  reverse?: boolean;
  limit?: number;
}

/** Keys and values; part of the storage, and of a transaction. */
interface DurableObjectTransaction {
  get<T = unknown>(key: string): Promise<T | undefined>;
  get<T = unknown>(keys: string[]): Promise<Map<string, T>>;
  put<T>(key: string, value: T): Promise<void>;
  put<T>(entries: Record<string, T>): Promise<void>;
  delete(key: string): Promise<boolean>;
  delete(keys: string[]): Promise<number>;
  list<T = unknown>(options?: DurableObjectListOptions): Promise<Map<string, T>>;
  getAlarm(): Promise<number | null>;
  setAlarm(at: number | Date): Promise<void>;
  deleteAlarm(): Promise<void>;
  rollback(): void;
}

type SqlStorageValue = ArrayBuffer | string | number | null;

interface SqlStorageCursor<T extends Record<string, SqlStorageValue>> extends IterableIterator<T> {
  toArray(): T[];
  one(): T;
  raw<U extends SqlStorageValue[]>(): IterableIterator<U> & { toArray(): U[] };
  readonly columnNames: string[];
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

interface SqlStorage {
  exec<T extends Record<string, SqlStorageValue>>(query: string, ...bindings: any[]): SqlStorageCursor<T>;
  readonly databaseSize: number;
}

interface SyncKvStorage {
  get<T = unknown>(key: string): T | undefined;
  put<T>(key: string, value: T): void;
  delete(key: string): boolean;
  list<T = unknown>(options?: DurableObjectListOptions): Iterable<[string, T]>;
}

/** What a durable object stores. */
interface DurableObjectStorage extends Omit<DurableObjectTransaction, "rollback"> {
  deleteAll(): Promise<void>;
  transaction<T>(callback: (txn: DurableObjectTransaction) => Promise<T>): Promise<T>;
  transactionSync<T>(callback: () => T): T;
  /** Resolves when all that was written is on the disk. */
  sync(): Promise<void>;
  readonly sql: SqlStorage;
  readonly kv: SyncKvStorage;
}

/** What a durable object is given: `this.ctx`. */
interface DurableObjectState<Props = unknown> {
  readonly id: DurableObjectId;
  readonly storage: DurableObjectStorage;
  readonly props: Props;
  waitUntil(promise: Promise<unknown>): void;
  /** Nothing else enters the object until the callback is done. */
  blockConcurrencyWhile<T>(callback: () => Promise<T>): Promise<T>;
  /** Ends the object; what is not durable yet is lost. */
  abort(reason?: string): void;
}

interface AlarmInvocationInfo {
  readonly isRetry: boolean;
  readonly retryCount: number;
  /** Milliseconds since 1970. */
  readonly scheduledTime: number;
}

/** Milliseconds, or a text as "30 seconds". At most 365 days. */
type WorkflowDuration =
  | number
  | `${number} ${"second" | "minute" | "hour" | "day" | "week" | "month" | "year"}${"s" | ""}`;

interface WorkflowEvent<Params = unknown> {
  /** What `create()` was given. */
  readonly payload: Readonly<Params>;
  /** When the instance was created. */
  readonly timestamp: Date;
  readonly instanceId: string;
  readonly workflowName: string;
}

/** An event that `sendEvent()` has sent. */
interface WorkflowStepEvent<Payload = unknown> {
  readonly type: string;
  readonly payload: Readonly<Payload>;
  readonly timestamp: Date;
}

interface WorkflowStepContext {
  /** From 1. */
  readonly attempt: number;
  readonly step: { readonly name: string; readonly count: number };
  readonly config: WorkflowStepConfig;
}

interface WorkflowStepConfig {
  retries?: {
    /** How many attempts after the first; 5. `Infinity`: it does not give up. */
    limit?: number;
    /** How long until the first of them; 10 s. */
    delay?: WorkflowDuration | ((info: { ctx: WorkflowStepContext; error: unknown }) => WorkflowDuration);
    /** How that grows; `"exponential"`. */
    backoff?: "constant" | "linear" | "exponential";
  };
  /** How long one attempt may take; 10 minutes. */
  timeout?: WorkflowDuration;
  /** Accepted, and changes nothing. */
  sensitive?: boolean;
}

/** What the code of a workflow does its work with. */
interface WorkflowStep {
  /** Runs the callback at least once, and records what it gives: that is what each later run sees. */
  do<T>(name: string, callback: (ctx: WorkflowStepContext) => T | Promise<T>): Promise<T>;
  do<T>(name: string, config: WorkflowStepConfig, callback: (ctx: WorkflowStepContext) => T | Promise<T>): Promise<T>;
  sleep(name: string, duration: WorkflowDuration): Promise<void>;
  sleepUntil(name: string, time: Date | number): Promise<void>;
  /** Rejects with a `WorkflowTimeoutError` if none comes in time; 24 hours. */
  waitForEvent<Payload>(
    name: string,
    options: { type: string; timeout?: WorkflowDuration },
  ): Promise<WorkflowStepEvent<Payload>>;
  /** Whether this instance has the change that is called so: false if it has passed here before that was made. */
  patched(name: string): boolean;
}

/** What a binding to a class of workflows is: `env.NAME`. */
interface Workflow<Params = unknown> {
  /** Fails if there is an instance with this id. Without an id it gets one. */
  create(options?: { id?: string; params?: Params }): Promise<WorkflowInstance>;
  /** Up to 100 at once; those that are there already are left out of what it gives. */
  createBatch(batch: { id?: string; params?: Params }[]): Promise<WorkflowInstance[]>;
  /** Fails if there is no instance with this id. */
  get(id: string): Promise<WorkflowInstance>;
}

interface WorkflowStatus {
  status:
    | "queued" | "running" | "waiting" | "waitingForPause" | "paused" | "complete" | "errored" | "terminated";
  error?: { name: string; message: string };
  output?: unknown;
  /** The version of the code that it began with. */
  version: string;
}

interface WorkflowInstance {
  readonly id: string;
  status(): Promise<WorkflowStatus>;
  /** What is under way is finished; nothing new begins before `resume()`. */
  pause(): Promise<void>;
  /** Also goes on with an instance that code has stopped which did not fit its history. */
  resume(): Promise<void>;
  terminate(): Promise<void>;
  /** Begins anew with the same params, and forgets what was. */
  restart(): Promise<void>;
  sendEvent(event: { type: string; payload?: unknown }): Promise<void>;
  /** Calls a method of the workflow that answers at once and changes nothing. */
  query<T = any>(method: string, ...args: unknown[]): Promise<T>;
  /** Calls a method of the workflow, as a part of its history: each later run calls it at the same place. */
  update<T = any>(method: string, ...args: unknown[]): Promise<T>;
}

declare module "cloudflare:workflows" {
  /** Thrown in a step: it is not tried again. */
  export class NonRetryableError extends Error {
    constructor(message: string, name?: string);
  }
}

declare module "cloudflare:workers" {
  export abstract class WorkflowEntrypoint<Env = unknown, Params = unknown> {
    protected ctx: ExecutionContext;
    protected env: Env;
    constructor(ctx: ExecutionContext, env: Env);
    run(event: WorkflowEvent<Params>, step: WorkflowStep): Promise<unknown>;
  }
  export abstract class DurableObject<Env = unknown, Props = unknown> {
    protected ctx: DurableObjectState<Props>;
    protected env: Env;
    constructor(ctx: DurableObjectState<Props>, env: Env);
    fetch?(request: Request): Response | Promise<Response>;
    alarm?(info: AlarmInvocationInfo): void | Promise<void>;
  }
  export abstract class WorkerEntrypoint<Env = unknown, Props = unknown> {
    protected ctx: ExecutionContext<Props>;
    protected env: Env;
    constructor(ctx: ExecutionContext<Props>, env: Env);
    fetch?(request: Request): Response | Promise<Response>;
    scheduled?(controller: ScheduledController): void | Promise<void>;
  }
}

declare module "dacapo:workers" {
  export { DurableObject, WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";
  export { NonRetryableError } from "cloudflare:workflows";
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
  /** Names a state for the search, which prefers runs that show states it has not seen. No rule, and nothing in production. */
  export function coverage(key: string | number): void;

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

  /**
   * Draws from the seed of the run. What a workload draws can be given and made small when a failing run is shrunk; `name`,
   * one word, is what it is called then (without it: `int`, `pick`, `chance`, `shuffle`).
   */
  export const random: {
    /** A whole number from `from` to `to`, both included. */
    int(from: number, to: number, name?: string): number;
    pick<T>(array: readonly T[], name?: string): T;
    chance(probability: number, name?: string): boolean;
    /** A shuffled copy. */
    shuffle<T>(array: readonly T[], name?: string): T[];
  };

  export function assert(condition: unknown, message?: string): asserts condition;
  /** Compares deeply; throws an AssertionError that says where the values differ. */
  export function equal<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
  export class AssertionError extends Error {
    constructor(message: string, values?: { actual?: unknown; expected?: unknown });
    actual: unknown;
    expected: unknown;
  }

  /** Anything that JSON can say. */
  export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

  export interface Operation {
    /** What is asked for: `read`, `write`, `append`, `txn`. */
    f: string;
    /** On what, if there are several. */
    key?: unknown;
    value?: unknown;
  }
  export interface Recorded extends Required<Operation> {
    process: number;
    /** What was answered. */
    result: any;
    outcome: "ok" | "failed" | "unknown";
  }

  /** What clients asked for and were told, in order. */
  export interface History {
    /**
     * Asks, and records what becomes of it: what `run` resolves to is the answer. If it throws, nobody knows whether
     * the operation happened; the error is thrown on. If it throws `Refused`, the operation did not happen and never
     * will; the call resolves to `undefined`. A process asks one thing at a time.
     */
    call<T>(process: number, operation: Operation, run: () => T | Promise<T>): Promise<T | undefined>;
    invoke(process: number, operation: Operation): void;
    ok(process: number, result?: unknown): void;
    failed(process: number): void;
    unknown(process: number): void;
    /** How many operations there are. */
    readonly length: number;
    /** Copies of them, by their invocations. */
    readonly operations: Recorded[];
  }
  export function history(): History;
  /** Thrown in a call by who knows that the operation did not happen and never will. */
  export class Refused extends Error {}

  /** What a judge found; it is a check, so `broken` ends the run. */
  export type Verdict = "holds" | "broken" | "unknown";
  export interface JudgeOptions {
    /** The name of the check. */
    message?: string;
  }

  /** What an object should do. States are JSON. */
  export interface Model<State = any> {
    name?: string;
    /** The state at first, or a function that makes it; `null`. */
    init?: State | (() => State);
    /** The state after an operation, or `{ ok: false }` if it cannot have been answered so. */
    step(state: State, operation: Recorded): { ok: boolean; state?: State };
    /** Operations that never change a state: counterexamples are shown without those that do not matter. */
    reads?: string[];
    /** Whether each key is an object of its own; `true`. */
    perKey?: boolean;
  }
  /** Could each operation have happened at one moment between its invocation and its end? */
  export function linearizable(
    history: History,
    model: "register" | "counter" | "set" | "queue" | "list" | Model,
    options?: JudgeOptions & {
      /** What a register or counter holds at first. */
      initial?: unknown;
      /** After so many steps the judge gives up. */
      steps?: number;
    },
  ): Verdict;

  export type Level =
    | "read uncommitted"
    | "read committed"
    | "read atomic"
    | "snapshot isolation"
    | "repeatable read"
    | "serializable"
    | "strong session serializable"
    | "strict serializable";
  export interface TransactionOptions extends JudgeOptions {
    /** `["append", key, value]` or `["w", key, value]`; `"lists"`. */
    data?: "lists" | "registers";
  }
  /** Were transactions kept apart as this level demands? */
  export function isolated(history: History, level: Level, options?: TransactionOptions): Verdict;
  /** `isolated(history, "serializable", options)` */
  export function serializable(history: History, options?: TransactionOptions): Verdict;

  /** Is the value of each operation in the books: once if it was acknowledged, not if it was refused? */
  export function exactlyOnce(history: History, books: Iterable<unknown>, options?: JudgeOptions): Verdict;

  export type Guarantee = "read your writes" | "monotonic reads" | "monotonic writes" | "writes follow reads";
  /** Does each process have these guarantees? Reads and writes answer a version: a number, or `{ version }`. */
  export function session(history: History, guarantees?: Guarantee | Guarantee[], options?: JudgeOptions): Verdict;

  /** Does something get done in each span of time in which there are requests? */
  export function progresses(
    history: History,
    options?: JudgeOptions & {
      /** The span, in milliseconds; 1000. */
      within?: number;
      /** With so many requests in a span, nothing done is a livelock; 10. */
      requestsMin?: number;
      /** More requests for each thing done are a retry storm; any number. */
      requestsPerDoneMax?: number;
    },
  ): Verdict;
  /** Asks again and again until the probe gives something true; breaks the run if that takes too long. */
  export function converges(
    probe: () => unknown,
    options?: JudgeOptions & {
      /** In milliseconds; 60,000. */
      within?: number;
      /** In milliseconds; 250. */
      every?: number;
    },
  ): Promise<boolean>;
}
