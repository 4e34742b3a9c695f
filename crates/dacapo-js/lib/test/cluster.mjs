// Instances of the platform library in separate contexts of Node, with native operations made of Node's own, and a
// toy world between them that carries messages and keeps virtual time. For tests of the library without V8 in Rust.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import util from "node:util";
import vm from "node:vm";

const LIB = new URL("../", import.meta.url);
const WINDOW = 256 * 1024;
const scripts = readFileSync(new URL("order.txt", LIB), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  // Every part, whoever needs it.
  .map((line) => line.split(" ")[0])
  .map((name) => new vm.Script(readFileSync(new URL(name, LIB), "utf8"), { filename: `lib/${name}` }));

const urlParts = (url) => [
  url.href, url.protocol, url.username, url.password, url.host, url.hostname, url.port, url.pathname, url.search,
  url.hash, url.origin,
];

export class Cluster {
  now = 0;
  instances = new Map();
  #queue = [];
  #timers = [];
  #exchanges = new Map();
  #lastExchange = 0;
  #sequence = 0;
  // For every message that a test wants to see: [instance, operation, …arguments].
  log = [];

  // Starts an instance; `exports` is a function of its global object that gives the entry module's namespace.
  start(name, exports, { vars = {}, bindings = {}, url = `https://${name}.internal` } = {}) {
    const instance = new Instance(this, name, bindings, url);
    this.instances.set(name, instance);
    const namespace = exports?.(instance.context, instance.lib.modules["dacapo:sim"], instance) ?? {};
    const boot = { vars, bindings: Object.keys(bindings), objects: {}, queues: {}, kv: {}, workflows: {}, name, object: null };
    instance.lib.handlers.start(namespace, boot);
    return instance;
  }

  post(instance, handler, ...args) {
    this.#queue.push({ instance, handler, args });
  }

  // Delivers messages and lets time pass until `promise` is settled.
  async run(promise, { until = Infinity } = {}) {
    let outcome;
    // Not by `await`: a test may have patched the `then` of the instance's realm.
    if (promise !== undefined) {
      Promise.prototype.then.call(
        promise,
        (value) => (outcome = { value }),
        (error) => (outcome = { error }),
      );
    }
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (outcome !== undefined) {
        if ("error" in outcome) throw outcome.error;
        return outcome.value;
      }
      const message = this.#queue.shift();
      if (message !== undefined) {
        message.instance.lib.handlers[message.handler](...message.args);
        continue;
      }
      this.#timers.sort((a, b) => a.at - b.at || a.sequence - b.sequence);
      const timer = this.#timers.shift();
      if (timer === undefined || timer.at > until) {
        if (timer !== undefined) this.#timers.push(timer);
        if (until !== Infinity) this.now = until;
        if (promise === undefined || until !== Infinity) return undefined;
        throw new Error("nothing is under way, but the promise is not settled");
      }
      this.now = Math.max(this.now, timer.at);
      timer.instance.lib.handlers.timer(timer.id);
    }
  }

  get timers() {
    return this.#timers;
  }

  // A request from outside.
  request(name, method, url, headers = [], body = null) {
    const exchange = ++this.#lastExchange;
    const target = this.instances.get(name);
    const response = new Promise((resolve) => {
      this.#exchanges.set(exchange, { target, resolve, chunks: [], to: null });
    });
    const bytes = typeof body === "string" ? target.bytes(Buffer.from(body)) : body;
    this.post(target, "request", exchange, method, url, target.array(headers), bytes);
    return Object.assign(response, { exchange });
  }

  operations(from) {
    const route = (binding, url) => {
      if (binding !== null) return this.instances.get(from.bindings[binding]);
      return [...this.instances.values()].find((other) => new URL(url).origin === other.url);
    };
    const copy = (target, body) => {
      if (body === null || body === true || body === "") return body === "" ? null : body;
      return target.bytes(typeof body === "string" ? Buffer.from(body) : body);
    };
    const chunk = (target, bytes) => (bytes === null || typeof bytes === "string" ? bytes : target.bytes(bytes));
    const byCall = (call) => from.calls.get(call);
    return {
      fetch: (call, binding, method, url, headers, body) => {
        this.log.push([from.name, "fetch", method, url, [...headers]]);
        const target = route(binding, url);
        if (target === undefined) return this.post(from, "failed", call, "unknown", `no such host: ${url}`);
        if (target.down) return this.post(from, "failed", call, "refused", "connection refused");
        if (target.hangs) return undefined;
        const exchange = ++this.#lastExchange;
        from.calls.set(call, exchange);
        this.#exchanges.set(exchange, { target, to: from, call, sent: 0, credited: 0 });
        return this.post(target, "request", exchange, method, url, target.array(headers), copy(target, body));
      },
      requestChunk: (call, bytes) => {
        const exchange = byCall(call);
        if (exchange === undefined) return;
        const { target } = this.#exchanges.get(exchange);
        from.sent += bytes?.length ?? 0;
        this.post(target, "requestChunk", exchange, chunk(target, bytes));
      },
      responsePull: (call, n) => {
        const { target } = this.#exchanges.get(byCall(call));
        this.post(target, "responseCredit", byCall(call), n);
      },
      cancel: (call) => {
        this.log.push([from.name, "cancel", call]);
        const exchange = byCall(call);
        if (exchange === undefined) return;
        from.calls.delete(call);
        this.post(this.#exchanges.get(exchange).target, "cancelled", exchange);
      },
      respond: (exchange, status, headers, body) => {
        const entry = this.#exchanges.get(exchange);
        if (entry.to === null) {
          Object.assign(entry, { status, headers: [...headers] });
          if (body !== true) entry.resolve({ status, headers: [...headers], body: text(body) });
          return;
        }
        this.post(entry.to, "response", entry.call, status, entry.to.array(headers), copy(entry.to, body));
      },
      responseChunk: (exchange, bytes) => {
        const entry = this.#exchanges.get(exchange);
        from.sent += bytes?.length ?? 0;
        if (entry.to !== null) return this.post(entry.to, "responseChunk", entry.call, chunk(entry.to, bytes));
        if (bytes !== null && typeof bytes !== "string") {
          entry.chunks.push(Buffer.from(bytes));
          return this.post(from, "responseCredit", exchange, bytes.length);
        }
        const { status, headers } = entry;
        return entry.resolve({ status, headers, body: Buffer.concat(entry.chunks).toString(), abort: bytes });
      },
      requestPull: (exchange, n) => {
        const entry = this.#exchanges.get(exchange);
        if (entry.to !== null) this.post(entry.to, "requestCredit", entry.call, n);
      },
      setTimer: (id, ms) => {
        this.#timers.push({ instance: from, id, at: this.now + ms, sequence: this.#sequence++ });
      },
      clearTimer: (id) => {
        this.#timers = this.#timers.filter((timer) => timer.instance !== from || timer.id !== id);
      },
      now: () => this.now,
      random: (u8) => {
        for (let i = 0; i < u8.length; i++) u8[i] = from.nextRandom();
      },
      uuid: () => `00000000-0000-4000-8000-${String(from.nextRandom()).padStart(12, "0")}`,
      log: (level, line) => from.lines.push([level, line]),
      check: (kind, holds, message, details) => from.checks.push({ kind, holds, message, details }),
      // The judges are written in Rust; a test says what they answer.
      judge: (request) => from.judge?.(request) ?? null,
      phaseDone: () => from.phaseDone?.(),
      busy: (n) => {
        from.busy = n;
      },
      urlParse: (href, base) => {
        try {
          return from.array(urlParts(base === null ? new URL(href) : new URL(href, base)));
        } catch {
          return null;
        }
      },
      urlSet: (href, part, value) => {
        try {
          const url = new URL(href);
          url[part] = value;
          return from.array(urlParts(url));
        } catch {
          return null;
        }
      },
      urlencodedParse: (input) => from.array([...new URLSearchParams(input)].flat()),
      urlencodedSerialize: (flat) => {
        const params = new URLSearchParams();
        for (let i = 0; i < flat.length; i += 2) params.append(flat[i], flat[i + 1]);
        return params.toString();
      },
      utf8Encode: (input) => from.bytes(Buffer.from(input)),
      utf8EncodeInto: (input, u8) => {
        const { read, written } = new TextEncoder().encodeInto(input, new Uint8Array(u8.buffer, u8.byteOffset, u8.length));
        return from.array([read, written]);
      },
      decoderNew: (label, fatal, ignoreBOM) => {
        try {
          const decoder = new TextDecoder(label, { fatal, ignoreBOM });
          from.decoders.push(decoder);
          return from.array([from.decoders.length - 1, decoder.encoding]);
        } catch {
          return null;
        }
      },
      decode: (id, u8, stream) => {
        try {
          return from.decoders[id].decode(u8, { stream });
        } catch {
          return null;
        }
      },
      digest: (name, u8) => from.bytes(createHash(name.replace("-", "")).update(u8).digest()),
      clone: (value, transfer) => structuredClone(value, { transfer: [...transfer] }),
      stackOf: (error) => error.stack,
      isPromise: (value) => util.types.isPromise(value),
      promiseState: (promise) => {
        const shown = util.inspect(promise);
        return shown.includes("<pending>") ? 0 : shown.includes("<rejected>") ? 2 : 1;
      },
    };
  }
}

class Instance {
  lines = [];
  checks = [];
  calls = new Map();
  decoders = [];
  busy = 0;
  sent = 0;
  down = false;
  hangs = false;
  phaseDone = null;
  #random = 0;

  constructor(cluster, name, bindings, url) {
    this.name = name;
    this.bindings = bindings;
    this.url = url;
    this.context = vm.createContext({}, { microtaskMode: undefined });
    // Objects that the library sees must be of its own realm, as they are in the engine.
    this.#realm = vm.runInContext("({ bytes: (n) => new Uint8Array(n), array: (a) => Array.from(a) })", this.context);
    this.lib = vm.runInContext("({})", this.context);
    const ops = cluster.operations(this);
    for (const script of scripts) script.runInContext(this.context)(ops, this.lib);
    this.global = vm.runInContext("globalThis", this.context);
  }
  #realm;
  bytes(buffer) {
    const bytes = this.#realm.bytes(buffer.length);
    bytes.set(buffer);
    return bytes;
  }
  array(list) {
    return this.#realm.array(list);
  }
  nextRandom() {
    this.#random = (this.#random * 75 + 74) % 65537;
    return this.#random & 255;
  }
  // Runs source text in the instance; an expression, or the body of an async function with `return`.
  eval(source) {
    return vm.runInContext(source, this.context);
  }
  async(source) {
    return this.eval(`(async () => { ${source} })()`);
  }
}

const text = (body) => (body === null ? null : typeof body === "string" ? body : Buffer.from(body).toString());
export { WINDOW };
