// fetch(), and the same for service bindings.
((ops, lib) => {
  "use strict";

  const { Incoming, Outgoing } = lib;
  const REDIRECTS_MAX = 20;
  const PROTOCOL = 1;
  const ORIGIN = 10;
  // What a redirect to another origin must not carry along.
  const SECRETS = ["authorization", "cookie", "proxy-authorization"];

  // Calls under way: number → Call.
  const calls = new Map();
  let last = 0;

  // Errors that the network made, so that a scenario can tell them from a guest's own.
  const failures = new WeakSet();
  lib.isNetworkFailure = (error) => typeof error === "object" && error !== null && failures.has(error);

  function failure(code, message) {
    const error = new TypeError(`fetch failed: ${message} (${code})`);
    error.code = code;
    failures.add(error);
    return error;
  }
  // The sender of a body gave up, for a reason that is only known as text.
  lib.brokenBody = (reason) => {
    const error = new TypeError(`the body broke off: ${reason}`);
    error.code = "reset";
    failures.add(error);
    return error;
  };

  class Call {
    id = 0;
    resolve;
    reject;
    binding;
    // The durable object behind the binding, if it is to one, and by which name it was found.
    object;
    name;
    record;
    redirects = 0;
    // The body of the response while it arrives; of the request while it leaves.
    incoming = null;
    outgoing = null;
    onAbort = null;
    answered = false;
    // The body of the request if it can be sent again.
    kept = null;
    constructor(binding, object, name, record, resolve, reject) {
      this.binding = binding;
      this.object = object;
      this.name = name;
      this.record = record;
      this.resolve = resolve;
      this.reject = reject;
    }

    start() {
      const { record } = this;
      const { signal } = record;
      if (signal !== null) {
        if (signal.aborted) {
          cancelBody(record.body, signal.reason);
          this.reject(signal.reason);
          return;
        }
        this.onAbort = () => this.abort(signal.reason);
        lib.onAbort(signal, this.onAbort);
      }
      this.send(record.body === null ? null : record.body.handOver());
    }

    send(content) {
      const { record } = this;
      const id = ++last;
      this.id = id;
      calls.set(id, this);
      const streams = content !== null && typeof content !== "string" && !(content instanceof Uint8Array);
      const hash = record.url.indexOf("#");
      const url = hash === -1 ? record.url : record.url.slice(0, hash);
      ops.fetch(id, this.binding, record.method, url, record.flat, streams ? true : content, this.object, this.name);
      if (streams) {
        this.outgoing = new Outgoing(ops.requestChunk, id, content, () => {
          this.outgoing = null;
          this.tidy();
        });
        this.outgoing.start();
      }
    }

    head(status, flat, content) {
      const { record } = this;
      if (status >= 300 && status <= 308 && record.redirect !== "manual") {
        const location = isRedirect(status) ? lib.flatGet(flat, "location") : null;
        if (location !== null) {
          this.redirect(status, location, content);
          return;
        }
      }
      let body = null;
      if (content === true) {
        this.incoming = new Incoming(ops.responsePull, (id) => this.drop(id), this.id);
        body = lib.bodyReceived(this.incoming);
      } else if (content !== null) {
        body = lib.bodyReceived(content);
      } else if (record.method !== "HEAD" && status !== 204 && status !== 205 && status !== 304) {
        // An empty body, but a body: its stream exists.
        body = lib.bodyReceived("");
      }
      this.answered = true;
      this.resolve(lib.responseReceived(status, flat, body, record.url, this.redirects > 0));
      this.tidy();
    }

    redirect(status, location, content) {
      const { record, id } = this;
      // Neither the rest of this answer nor that of our body is of interest.
      if (content === true || this.outgoing !== null) ops.cancel(id);
      calls.delete(id);
      const stop = (why) => this.fail(new TypeError(`fetch failed: ${why}`));
      if (record.redirect === "error") return stop(`${record.url} redirects, and redirects are an error here`);
      if (this.redirects === REDIRECTS_MAX) return stop(`more than ${REDIRECTS_MAX} redirects, lastly to ${location}`);
      const parts = ops.urlParse(location, record.url);
      if (parts === null || (parts[PROTOCOL] !== "http:" && parts[PROTOCOL] !== "https:")) {
        return stop(`${record.url} redirects to ${lib.inspect(location)}, which is not an HTTP URL`);
      }
      const drop = [];
      let { method, body } = record;
      let content2 = null;
      if ((status <= 302 && method === "POST") || (status === 303 && method !== "GET" && method !== "HEAD")) {
        method = "GET";
        body = null;
        this.kept = null;
        drop.push(...lib.BODY_HEADERS);
      }
      if (body !== null) {
        if (this.kept === null) return stop(`${record.url} redirects, and the streamed body cannot be sent again`);
        content2 = this.kept;
      }
      if (parts[ORIGIN] !== lib.parseUrl(record.url)[ORIGIN]) {
        drop.push(...SECRETS);
        // A binding stands for one service; another origin is for the URL to decide.
        this.binding = null;
        this.object = null;
        this.name = null;
      }
      let [url] = parts;
      const hash = record.url.indexOf("#");
      if (hash !== -1 && !url.includes("#")) url += record.url.slice(hash);
      const flat = drop.length === 0 ? record.flat : lib.flatWithout(record.flat, drop);
      this.record = { ...record, method, url, flat, body };
      this.redirects++;
      if (this.outgoing !== null) this.outgoing.cancel(new TypeError("redirected"));
      this.send(content2);
      return undefined;
    }

    fail(error) {
      calls.delete(this.id);
      if (this.outgoing !== null) this.outgoing.cancel(error);
      if (this.answered) this.incoming?.fail(error);
      else this.reject(error);
      this.incoming = null;
      this.answered = true;
      this.tidy();
    }

    abort(reason) {
      this.onAbort = null;
      ops.cancel(this.id);
      this.fail(reason);
    }

    // The reader of the response has lost interest.
    drop(id) {
      ops.cancel(id);
      this.incoming = null;
      if (this.outgoing !== null) this.outgoing.cancel(new TypeError("the response was cancelled"));
      this.tidy();
    }

    // Forgets what is over.
    tidy() {
      if (!this.answered || this.incoming !== null) return;
      if (this.onAbort !== null) {
        lib.offAbort(this.record.signal, this.onAbort);
        this.onAbort = null;
      }
      if (this.outgoing === null) calls.delete(this.id);
    }
  }
  const isRedirect = (status) => status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

  function cancelBody(body, reason) {
    if (body === null) return;
    const content = body.handOver();
    if (content instanceof Incoming) content.cancel();
    else if (lib.isReadable(content)) lib.then(content.cancel(reason), lib.noop, lib.noop);
  }

  // `binding` is a binding's name, or null; `object` the id of a durable object behind it, and `without` a header field
  // that shall not be sent; `name` is the name that it was found by.
  lib.fetch = (binding, input, init, object = null, without = null, name = null) =>
    new Promise((resolve, reject) => {
      let record = lib.requestRecord(input, init, true);
      if (without !== null && lib.flatGet(record.flat, without) !== null) {
        record = { ...record, flat: lib.flatWithout(record.flat, [without]) };
      }
      const { url } = record;
      if (!url.startsWith("http:") && !url.startsWith("https:")) {
        throw new TypeError(`fetch failed: ${lib.inspect(url)} is neither an http nor an https URL`);
      }
      const call = new Call(binding, object, name, record, resolve, reject);
      call.kept = keep(record.body);
      call.start();
    });

  // A body that can be sent again after a redirect.
  function keep(body) {
    if (body === null || body.stream !== null) return null;
    return typeof body.source === "string" || body.source instanceof Uint8Array ? body.source : null;
  }

  const { handlers } = lib;
  handlers.response = (id, status, headers, body) => calls.get(id)?.head(status, headers, body);
  handlers.responseChunk = (id, bytes) => {
    const call = calls.get(id);
    const incoming = call?.incoming;
    if (incoming === null || incoming === undefined) return;
    if (bytes !== null && typeof bytes !== "string") {
      incoming.push(bytes);
      return;
    }
    call.incoming = null;
    if (bytes === null) incoming.end();
    else incoming.fail(lib.brokenBody(bytes));
    call.tidy();
  };
  handlers.requestCredit = (id, n) => calls.get(id)?.outgoing?.credit(n);
  handlers.failed = (id, code, message) => calls.get(id)?.fail(failure(code, message));

  lib.global("fetch", function fetch(input, init = undefined) {
    if (arguments.length === 0) return lib.rejected(new TypeError("fetch: a URL or a Request is required"));
    return lib.fetch(null, input, init);
  });

  // What `env.NAME` is for a service that the configuration lets this one call.
  class Fetcher {
    #name;
    constructor(token, name) {
      if (token !== lib.INTERNAL) throw new TypeError("Illegal constructor");
      this.#name = name;
    }
    fetch(input, init = undefined) {
      if (arguments.length === 0) return lib.rejected(new TypeError("fetch: a URL or a Request is required"));
      return lib.fetch(this.#name, input, init);
    }
  }
  lib.interface(Fetcher, { hidden: true });
  lib.newFetcher = (name) => new Fetcher(lib.INTERNAL, name);
  lib.inspectAs(Fetcher, () => ({}));
})
