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

declare module "cloudflare:workers" {
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
  export { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
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
