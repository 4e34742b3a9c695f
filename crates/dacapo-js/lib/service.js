// What runs a service: requests and cron events to `export default { fetch, scheduled }`.
((ops, lib) => {
  "use strict";

  const { handlers, Incoming, Outgoing } = lib;
  const FAILED = "Internal Server Error\n";

  let entry = undefined;
  let env = null;
  // What the entry module exports.
  let exported = undefined;
  // Requests under way: number → Exchange.
  const exchanges = new Map();
  // Promises given to waitUntil, cron events and requests that are unfinished.
  let busy = 0;

  const began = () => ops.busy(++busy);
  const ended = () => ops.busy(--busy);

  class ExecutionContext {
    props = {};
    waitUntil(promise) {
      began();
      lib.then(lib.resolved(promise), ended, (error) => {
        ops.log(3, `A promise given to waitUntil was rejected: ${lib.stackOf(error)}`);
        ended();
      });
    }
    // There is no origin server behind a service that could take over.
    passThroughOnException() {}
  }

  lib.newContext = () => new ExecutionContext();

  handlers.start = (namespace, boot) => {
    lib.onStart();
    entry = namespace.default;
    env = { ...boot.vars };
    for (const name of boot.bindings) env[name] = lib.newFetcher(name);
    for (const name of Object.keys(boot.queues)) env[name] = lib.newQueue(name, boot.queues[name]);
    for (const name of Object.keys(boot.kv)) env[name] = lib.newKv(name, boot.kv[name]);
    for (const name of Object.keys(boot.objects)) env[name] = lib.newNamespace(name, boot.objects[name]);
    for (const name of Object.keys(boot.workflows)) env[name] = lib.newWorkflow(name, boot.workflows[name]);
    lib.env = env;
    lib.service = boot.name;
    if (boot.object !== null) entry = lib.newObject(namespace, env, boot.object);
    exported = namespace;
  };

  handlers.phase = (name, decides) => {
    lib.use("sim");
    if (decides === true) lib.decides = true;
    lib.enterPhase(name, exported);
  };

  class Exchange {
    id;
    head;
    request;
    incoming;
    outgoing = null;
    answered = false;
    constructor(id, method, url, flat, content) {
      this.id = id;
      this.head = method === "HEAD";
      this.incoming = content === true ? new Incoming(ops.requestPull, null, id) : null;
      const body = content === null ? null : lib.bodyReceived(this.incoming ?? content);
      // Not followed by a fetch(request) that passes it on: the client shall see the redirect.
      this.request = lib.requestMade({ method, url, flat, body, signal: null, redirect: "manual" }, true);
    }

    respond(response) {
      if (this.answered) return;
      if (!lib.isResponse(response)) {
        const error = new TypeError(`The handler gave ${lib.inspect(response, { depth: 0 })} instead of a Response`);
        this.broken(error);
        return;
      }
      const status = lib.responseStatus(response);
      const body = lib.responseBody(response);
      if (status === 0) {
        this.broken(new TypeError("The handler answered with Response.error()"));
        return;
      }
      if (body !== null && body.unusable) {
        this.broken(new TypeError("The body of the handler's Response has been read already, or its stream is locked"));
        return;
      }
      this.answered = true;
      const flat = lib.responseFlat(response);
      let content = body === null ? null : body.handOver();
      if (this.head && content !== null) {
        if (content instanceof Incoming) content.cancel();
        else if (lib.isReadable(content)) lib.then(content.cancel(), lib.noop, lib.noop);
        content = null;
      }
      if (content === null || typeof content === "string" || content instanceof Uint8Array) {
        ops.respond(this.id, status, flat, content);
        this.finish();
        return;
      }
      ops.respond(this.id, status, flat, true);
      this.outgoing = new Outgoing(ops.responseChunk, this.id, content, () => this.finish());
      this.outgoing.start();
    }

    broken(error) {
      ops.log(3, lib.stackOf(error));
      if (this.answered) return;
      this.answered = true;
      ops.respond(this.id, 500, ["content-type", "text/plain;charset=UTF-8"], FAILED);
      this.finish();
    }

    finish() {
      this.outgoing = null;
      if (this.incoming === null) {
        exchanges.delete(this.id);
      } else if (lib.requestBody(this.request).source === this.incoming) {
        // Nobody has touched the request's body; its sender shall not wait for credit.
        this.incoming.discard();
      }
      ended();
    }

    cancel() {
      lib.abortRequest(this.request);
      const gone = new lib.DOMException("The client has gone away", "AbortError");
      if (this.incoming !== null) {
        this.incoming.fail(gone);
        this.incoming = null;
      }
      if (this.outgoing !== null) {
        this.outgoing.cancel(gone);
      } else if (!this.answered) {
        this.answered = true;
        this.finish();
      }
      exchanges.delete(this.id);
    }
  }

  // What has the method `name`: the default export, or a new object of it if it is a class.
  function handlerOf(name) {
    if (lib.isEntrypoint(entry)) {
      return typeof entry.prototype[name] === "function" ? new entry(new ExecutionContext(), env) : null;
    }
    return typeof entry?.[name] === "function" ? entry : null;
  }

  function missing() {
    if (typeof entry === "function" && /^class\b/.test(Function.prototype.toString.call(entry))) {
      return new TypeError('export default is a class that does not extend WorkerEntrypoint of "cloudflare:workers"');
    }
    return new TypeError(`The service ${lib.service} has no export default { fetch(request, env, ctx) { … } }`);
  }

  handlers.request = (id, method, url, headers, body) => {
    const exchange = new Exchange(id, method, url, headers, body);
    exchanges.set(id, exchange);
    began();
    let answer;
    try {
      const event = lib.eventOf(headers);
      const handler = handlerOf(event ?? "fetch");
      if (event === "queue") {
        answer = lib.takeBatch(exchange.request, handler, env, new ExecutionContext());
      } else if (handler === null) throw missing();
      else answer = handler.fetch(exchange.request, env, new ExecutionContext());
    } catch (error) {
      exchange.broken(error);
      return;
    }
    if (lib.isResponse(answer)) {
      exchange.respond(answer);
      return;
    }
    lib.then(
      lib.resolved(answer),
      (response) => exchange.respond(response),
      (error) => exchange.broken(error),
    );
  };

  handlers.requestChunk = (id, bytes) => {
    const exchange = exchanges.get(id);
    const incoming = exchange?.incoming;
    if (incoming === null || incoming === undefined) return;
    if (bytes !== null && typeof bytes !== "string") {
      incoming.push(bytes);
      return;
    }
    exchange.incoming = null;
    if (bytes === null) incoming.end();
    else incoming.fail(lib.brokenBody(bytes));
    if (exchange.answered && exchange.outgoing === null) exchanges.delete(id);
  };
  handlers.responseCredit = (id, n) => exchanges.get(id)?.outgoing?.credit(n);
  handlers.cancelled = (id) => exchanges.get(id)?.cancel();

  handlers.scheduled = (cron, millis) => {
    began();
    const failed = (error) => {
      ops.log(3, `scheduled (${cron}) failed: ${lib.stackOf(error)}`);
      ended();
    };
    try {
      const handler = handlerOf("scheduled");
      if (handler === null) {
        throw new TypeError(`The service ${lib.service} has no export default { scheduled(controller, env, ctx) { … } }`);
      }
      const controller = { cron, scheduledTime: millis, type: "scheduled", noRetry() {} };
      lib.then(lib.resolved(handler.scheduled(controller, env, new ExecutionContext())), ended, failed);
    } catch (error) {
      failed(error);
    }
  };

  handlers.alarm = (millis, retry) => {
    began();
    const done = (isOk) => {
      ops.alarmDone(isOk);
      ended();
    };
    const failed = (error) => {
      ops.log(3, `alarm() failed: ${lib.stackOf(error)}`);
      done(false);
    };
    try {
      const answer = entry.alarm({ isRetry: retry > 0, retryCount: retry, scheduledTime: millis });
      lib.then(lib.resolved(answer), () => done(true), failed);
    } catch (error) {
      failed(error);
    }
  };

  // What is to be called, in this turn, once no promise has anything to do any more.
  let drained = [];
  lib.afterDrained = (callback) => {
    drained.push(callback);
    ops.afterDrained();
  };
  handlers.drained = () => {
    const callbacks = drained;
    drained = [];
    for (const callback of callbacks) callback();
  };

  // What goes on without being asked, as workflows do, begins nothing new from then on.
  lib.isStopping = false;
  handlers.stop = () => {
    lib.isStopping = true;
    ops.busy(busy);
  };
})
